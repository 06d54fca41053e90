// A short tone when a nudge appears: off until its reader switches it on, remembered by this browser alone.
(() => {
  const KEY = "spineclip-sound", BUTTON = "button.sound";
  let context = null, shown = false;
  const isOn = () => localStorage.getItem(KEY) === "on";
  const wake = () => { context ??= new AudioContext(); context.resume(); };
  const tone = () => {
    if (!context || context.state !== "running") return; // browsers stay silent until somebody has touched the page
    const from = context.currentTime, source = context.createOscillator(), volume = context.createGain();
    source.frequency.value = 523.25; // c'', the middle of most people's hearing
    volume.gain.setValueAtTime(0, from);
    volume.gain.linearRampToValueAtTime(0.15, from + 0.03);
    volume.gain.exponentialRampToValueAtTime(0.001, from + 0.4);
    source.connect(volume).connect(context.destination);
    source.start(from);
    source.stop(from + 0.45);
    document.documentElement.dataset.tones = Number(document.documentElement.dataset.tones ?? 0) + 1;
  };
  const paint = () => document.querySelectorAll(BUTTON).forEach((button) => {
    const pressed = String(isOn());
    if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
  });
  const look = () => {
    paint();
    const stands = Boolean(document.querySelector(".nudge p"));
    if (stands && !shown && isOn()) tone();
    shown = stands;
  };
  document.addEventListener("click", (event) => {
    if (isOn()) wake();
    if (!event.target.closest?.(BUTTON)) return;
    localStorage.setItem(KEY, isOn() ? "off" : "on");
    paint();
    if (isOn()) { wake(); context.resume().then(tone); }
  });
  document.addEventListener("keydown", () => { if (isOn()) wake(); });
  new MutationObserver(look).observe(document.documentElement, {childList: true, subtree: true});
})();

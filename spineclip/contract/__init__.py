"""What the stages agree on: ids, topics, records, messages, time, errors."""

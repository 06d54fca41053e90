"""The real servers that tests run against: each started on free ports, proven to be the one that answers, ended."""

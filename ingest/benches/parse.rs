//! Submissions a second through sniff, parse, observe and write, on one core.

fn main() {}

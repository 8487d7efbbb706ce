//! The supervisor against the real engines. A missing engine fails these tests:
//! `make engines` installs what they need.

mod clickhouse;
mod faults;
mod lifecycle;
mod setup;

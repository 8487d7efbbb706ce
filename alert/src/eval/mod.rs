//! How good is it? Benches that the detector and simpler rules must all pass through.

pub mod bench;
pub mod nab;
pub mod rivals;
pub mod worlds;

//! The runtime every stage shares.

pub mod settings;
pub mod stage;

//! The rules of the house.

mod files;
mod generated;
mod layers;

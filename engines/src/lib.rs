//! echolot-engines

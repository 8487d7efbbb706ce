//! What a model reads instead of the text as it was written. The original is what is stored.

mod features;
mod normalise;
mod tokens;

pub use features::{FeatureReader, FeatureSink, RUN, warm};
pub use normalise::normalise;
pub use tokens::{Token, TokenKind, fold_word, is_emoji, tokens};

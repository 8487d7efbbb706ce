//! Which mentions are about which brand.
//!
//! **Contract.** Pure logic: text in, verdicts out, no input or output, no clock, nothing random.
//! The same brands and the same mention give the same answer on every machine and in every replay.
//! All input is hostile: every size and every cost is bounded (`query::limits`, `text::tokens`).
//!
//! **Callers.** `ingest` filters a firehose by it, `enrich` attaches brands, their versions and
//! their parts of the text, the command line checks, tests and explains queries.
//!
//! ```text
//! brands/*.toml ─► BrandBook ─► Matcher ──┐
//!                                         ├─► brands ─► spans ─► targets
//! mention ──────► Post ─► Tokens ─────────┘
//!                           └─► Fingerprint ─► Groups (reposts, near copies) ─► spam score
//! ```
//!
//! ```
//! use echolot_brands::{BrandBook, Matcher, Post, Scratch};
//!
//! let file = r##"
//!     name = "Deutsche Bahn"
//!     query = '"Deutsche Bahn" OR #DeutscheBahn OR (Bahn* NEAR/5 verspät*)'
//! "##;
//! let book = BrandBook::from_files([("bahn.toml", file)])?;
//! let matcher = Matcher::compile(&book)?;
//! let mut scratch = Scratch::default();
//! let post = Post::text("Die Bahn ist schon wieder verspaetet");
//! let names: Vec<_> =
//!     matcher.matches(&post, &mut scratch).iter().filter_map(|index| book.get(*index)).map(|brand| &brand.name).collect();
//! assert_eq!(names, ["Deutsche Bahn"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod book;
pub mod explain;
pub mod matcher;
pub mod noise;
pub mod post;
pub mod query;
pub mod targets;
pub mod text;
pub mod voice;

pub use book::{Brand, BrandBook};
pub use explain::Explanation;
pub use matcher::{BrandIndex, Matcher, Scratch};
pub use post::Post;
pub use query::{Query, QueryError, Warning};
pub use targets::{Target, targets};

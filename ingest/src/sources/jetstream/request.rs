//! What Jetstream is asked for.

use super::{cursor::Cursor, decompress::Dictionary, options::Version, post::POSTS};

/// The subprotocol of version 2: one self-describing JSON object a frame.
const XRPC_JSON: &str = "xrpc.v1.json";

/// Path, parameters and subprotocol of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The path.
    pub path: &'static str,
    /// The parameters.
    pub query: String,
    /// What `Sec-WebSocket-Protocol` has to offer.
    pub subprotocol: Option<&'static str>,
}

/// Which events to send.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The version that is spoken.
    pub version: Version,
    /// Accounts whose events are wanted; empty for those of everybody.
    pub dids: &'a [String],
    /// How frames are compressed; none for plain ones.
    pub dictionary: Option<&'a Dictionary>,
    /// Frames larger than this are to be left out; none for no limit.
    pub leave_out: Option<usize>,
    /// How far to go back from the cursor, in microseconds.
    pub rewind_us: i64,
}

impl Wish<'_> {
    /// The subscription that goes on at `cursor`, or at the present where there is none.
    pub fn subscription(&self, cursor: Option<&Cursor>) -> Subscription {
        let (path, subprotocol, mut query) = match self.version {
            Version::V1 => ("/subscribe", None, format!("wantedCollections={POSTS}")),
            Version::V2 => (
                "/xrpc/network.bsky.jetstream.subscribeEvents",
                Some(XRPC_JSON),
                format!("kinds=commit&kinds=account&collections={POSTS}"),
            ),
        };
        let (did_key, compression) = match self.version {
            Version::V1 => ("wantedDids", self.dictionary.map(|_| "compress=true".to_owned())),
            Version::V2 => ("dids", self.dictionary.map(|d| format!("zstdDictionary={}", d.id()))),
        };
        let dids = self.dids.iter().map(|did| format!("{did_key}={did}"));
        let most = self.leave_out.map(|bytes| format!("maxMessageSizeBytes={bytes}"));
        let place = cursor
            .map(|cursor| format!("cursor={}", cursor.request(self.version) - self.rewind_us));
        for pair in dids.chain(compression).chain(most).chain(place) {
            query.push('&');
            query.push_str(&pair);
        }
        Subscription { path, query, subprotocol }
    }
}

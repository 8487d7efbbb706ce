//! Any sender of JSON as a source: a mapping in the settings says where things stand.
//!
//! ```text
//!  POST /v1/hooks/NAME ─▶ Auth ─▶ items ─▶ only? ─▶ Fields ─▶ mention, edit or deletion
//! ```

pub(super) mod auth;
mod fields;
mod place;
mod time;

use axum::http::HeaderMap;
use bytes::Bytes;
use echolot_pipeline::{clock::Clock, settings::Problems, stage::Rejection};
use echolot_schemas::{SourceName, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use self::{auth::Auth, fields::Fields, place::Pointer};
use crate::{
    hooks::{Hook, Unauthorised},
    keep::KeepRule,
    rejected::{Place, Rejected},
    source::{Observation, Page, SourceFault},
    sources::{Parts, SampleContext, SourceContext, SourceOptions, polled::options::read_secret},
    submission::{malformed, malformed_json},
};

/// Most items of one request; the push server bounds its bytes.
const ITEMS: usize = 10_000;

/// Options of `kind = "webhook"`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WebhookOptions {
    /// How the sender proves who it is.
    auth: Auth,
    /// Where the items are: a pointer to an array or to a single item; none for the whole body.
    items: Option<Pointer>,
    /// Which items count: those that hold one of these values at the pointer.
    only: Vec<Only>,
    /// Where the parts of a mention stand.
    fields: Fields,
}

/// A condition on an item.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Only {
    from: Pointer,
    equals: Vec<String>,
}

impl SourceOptions for WebhookOptions {
    fn validate(&self, path: &str, problems: &mut Problems) {
        self.auth.validate(&format!("{path}.auth"), problems);
        self.fields.validate(&format!("{path}.fields"), problems);
    }

    fn build(&self, context: SourceContext) -> Result<Parts, SourceFault> {
        let key = read_secret(self.auth.secret())?;
        let SourceContext { name, common, clock, .. } = context;
        let keep = common.keep.unwrap_or_default();
        let (options, auth) = (self.clone(), auth::Check::new(&self.auth, &key));
        Ok(Parts::hooked(Webhook { name, keep, clock, options, auth }))
    }

    fn judge_sample(&self, context: &SampleContext<'_>, sample: Bytes) -> Result<Page, Rejection> {
        self.read(context.name, &sample, context.clock.now())
    }
}

impl WebhookOptions {
    /// The mentions in a body. Refused as a whole only when it is no JSON or has no items.
    fn read(
        &self,
        source: &SourceName,
        body: &Bytes,
        received: Timestamp,
    ) -> Result<Page, Rejection> {
        let root: Value =
            serde_json::from_slice(body).map_err(|error| malformed_json(body, &error))?;
        let found = match &self.items {
            None => &root,
            Some(pointer) => pointer
                .find(&root, &root)
                .ok_or_else(|| malformed(format!("items: nothing stands at {pointer}")))?,
        };
        let single = std::slice::from_ref(found);
        let items = found.as_array().map_or(single, Vec::as_slice);
        if items.len() > ITEMS {
            return Err(malformed(format!("holds {} items, at most {ITEMS}", items.len())));
        }
        let mut page = Page::default();
        for (number, item) in (1..).zip(items) {
            if !self.only.iter().all(|only| only.holds(item, &root)) {
                continue;
            }
            let original = Bytes::from(item.to_string());
            match self.fields.submission(item, &root, received) {
                Ok(submission) => {
                    page.observations.push(Observation::new(source, submission, original));
                }
                Err(detail) => {
                    let place = Place::Item { file: None, item: number };
                    page.rejected.push(Rejected::new(place, malformed(detail), original));
                }
            }
        }
        Ok(page)
    }
}

impl Only {
    fn holds(&self, item: &Value, root: &Value) -> bool {
        self.from
            .find(item, root)
            .and_then(place::text)
            .is_some_and(|text| self.equals.contains(&text))
    }
}

struct Webhook {
    name: SourceName,
    keep: KeepRule,
    clock: Clock,
    options: WebhookOptions,
    auth: auth::Check,
}

impl Hook for Webhook {
    fn name(&self) -> &SourceName {
        &self.name
    }

    fn keep(&self) -> KeepRule {
        self.keep
    }

    fn authenticate(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        _now: Timestamp,
    ) -> Result<(), Unauthorised> {
        self.auth.check(headers, body)
    }

    fn translate(&self, _headers: &HeaderMap, body: Bytes) -> Page {
        self.options.read(&self.name, &body, self.clock.now()).unwrap_or_else(|rejection| {
            let place = Place::Item { file: None, item: 1 };
            Page { rejected: vec![Rejected::new(place, rejection, body)], ..Page::default() }
        })
    }
}

#[cfg(test)]
mod tests;

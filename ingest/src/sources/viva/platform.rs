//! The walk over messages.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use echolot_schemas::{SourceName, Timestamp, coverage::GapReason, submission::Submission};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    http::{Answer, Fetch},
    source::{Notice, Observation, Page, SourceFault},
    sources::{
        SourceContext,
        polled::{
            self, Platform, Step,
            answer::{Rest, json},
            options::address,
            recheck::Recheck,
        },
        viva::{
            TOKEN, VivaOptions,
            message::{self, Messages},
        },
    },
};

/// Most messages in one answer, by the API.
const LIMIT: &str = "20";
/// Most answers in one walk: 1,000 messages between two turns.
const ANSWERS: usize = 50;
/// The API allows ten requests in 30 seconds.
const PACE: Duration = Duration::from_secs(3);
/// Messages looked at again in one turn.
const LOOKS: usize = 5;
/// Most messages that are looked at again.
const RECHECKED: usize = 5000;

#[derive(Debug)]
pub(crate) struct Viva {
    name: SourceName,
    rest: Rest,
    token: SecretString,
    api: String,
    /// Paths of the lists to walk.
    lists: Vec<String>,
    recheck_for: Duration,
    pace: Duration,
}

/// Where to go on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct At {
    /// The newest id of each list.
    newest: BTreeMap<String, u64>,
    /// When the lists were last walked: up to then nothing is missing.
    #[serde(default)]
    walked: Option<Timestamp>,
    recheck: Recheck,
}

impl Viva {
    pub(crate) fn new(options: &VivaOptions, context: &SourceContext, token: SecretString) -> Self {
        let lists = if options.groups.is_empty() {
            vec!["messages".to_owned()]
        } else {
            options.groups.iter().map(|group| format!("messages/in_group/{group}")).collect()
        };
        // Another host than the real one has no such limit.
        let real = options.api == VivaOptions::default().api;
        Self {
            name: context.name.clone(),
            rest: Rest::new(context.http.clone(), context.clock.clone(), TOKEN),
            token,
            api: options.api.clone(),
            lists,
            recheck_for: options.recheck_for,
            pace: if real { PACE } else { Duration::ZERO },
        }
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, SourceFault> {
        let url = address(&format!("{}/api/v1/{path}.json", self.api), query)?;
        let fetch = Fetch::get(url).bearer(self.token.expose_secret()).pace(self.pace);
        self.rest.any(fetch).await
    }

    /// Messages newer than `newest`, oldest first, and whether the walk met it.
    async fn since(
        &self,
        list: &str,
        newest: u64,
    ) -> Result<(Vec<(u64, Bytes)>, bool), SourceFault> {
        let mut found = BTreeMap::new();
        let after = newest.to_string();
        let mut before: Option<String> = None;
        for _ in 0..ANSWERS {
            let mut query = vec![("limit", LIMIT), ("newer_than", after.as_str())];
            if let Some(before) = &before {
                query.push(("older_than", before));
            }
            let answer = self.rest.judge(self.get(list, &query).await?)?;
            let Messages { messages, meta } = json(&answer)?;
            let mut new = 0;
            for message in messages {
                let Some(id) = message::id(&message).filter(|id| *id > newest) else { continue };
                let original = Bytes::from(String::from(Box::<str>::from(message)));
                new += usize::from(found.insert(id, original).is_none());
            }
            // A first walk begins with the newest messages and has nothing to meet.
            if !meta.older_available || new == 0 || newest == 0 {
                return Ok((found.into_iter().collect(), true));
            }
            before = found.keys().next().map(u64::to_string);
        }
        Ok((found.into_iter().collect(), false))
    }

    async fn look_again(
        &self,
        page: &mut Page,
        at: &mut At,
        now: Timestamp,
    ) -> Result<(), SourceFault> {
        for id in at.recheck.due(now, LOOKS) {
            let answer = self.get(&format!("messages/{id}"), &[]).await?;
            if answer.status == 404 {
                page.observations.push(Observation::deleted(&self.name, id.as_str()));
                at.recheck.gone(&id);
                continue;
            }
            let answer = self.rest.judge(answer)?;
            polled::add(page, &self.name, &id, message::read(&answer.body), answer.body);
            at.recheck.looked_at(&id, now, self.recheck_for);
        }
        Ok(())
    }
}

impl Platform for Viva {
    type Place = At;

    async fn begin(&self, _now: Timestamp) -> Result<At, SourceFault> {
        Ok(At::default())
    }

    async fn poll(&self, place: &At, now: Timestamp) -> Result<Step<At>, SourceFault> {
        let (mut page, mut at) = (Page::default(), place.clone());
        let mut left_out = 0;
        for list in &self.lists {
            let newest = place.newest.get(list).copied().unwrap_or(0);
            let (messages, met) = self.since(list, newest).await?;
            let mut oldest = now;
            for (id, original) in messages {
                let (name, read) = (id.to_string(), message::read(&original));
                if let Ok(Some(Submission { published_at: Some(published), .. })) = &read {
                    left_out += at.recheck.add(&name, *published, now, RECHECKED);
                    oldest = oldest.min(*published);
                }
                polled::add(&mut page, &self.name, &name, read, original);
                at.newest.insert(list.clone(), id);
            }
            if !met {
                // A cursor of an earlier version tells no time: then the gap has no known beginning.
                let from = place.walked.unwrap_or(oldest).min(oldest);
                page.notices.push(Notice::Gap { from, to: oldest, why: GapReason::Window });
            }
        }
        at.walked = Some(now);
        if left_out > 0 {
            tracing::warn!(source = %self.name, left_out, "messages are no longer looked at again");
        }
        self.look_again(&mut page, &mut at, now).await?;
        Ok(Step { page, place: at, more: false })
    }
}

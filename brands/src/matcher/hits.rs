//! Where the terms of one mention were seen.
//!
//! Kept from mention to mention: an entry counts only when it bears the current epoch, so nothing
//! is cleared between two mentions.

use std::ops::Range;

use super::plan::{RawId, TermId};
use crate::text::tokens::{Form, Place, Tokens};

const END: u32 = u32::MAX;
/// Places kept of one `raw:` text; one proves it, the others are shown.
const RAW_PLACES: usize = 256;

#[derive(Debug, Clone, Copy, Default)]
struct Chain {
    epoch: u32,
    first: u32,
    last: u32,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    form: u32,
    next: u32,
}

/// A run of words: positions, and the forms it begins and ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Occurrence {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) first: u32,
    pub(super) last: u32,
}

impl Occurrence {
    fn of(index: u32, form: &Form) -> Self {
        Self { start: form.start, end: form.end, first: index, last: index }
    }
}

#[derive(Debug, Default)]
pub(super) struct Hits {
    epoch: u32,
    chains: Vec<Chain>,
    links: Vec<Link>,
    /// By check the epoch and form it was last made for.
    checked: Vec<(u32, u32)>,
    /// Terms seen, each once.
    pub(super) terms: Vec<TermId>,
    /// By raw text the places where it was seen.
    raw: Vec<Vec<(Place, Range<u32>)>>,
    /// Raw texts seen, each once.
    pub(super) raw_seen: Vec<RawId>,
}

impl Hits {
    /// Forgets the last mention.
    pub(super) fn reset(&mut self, terms: usize, checks: usize, raw: usize) {
        for seen in self.raw_seen.drain(..) {
            self.raw[seen as usize].clear();
        }
        if self.raw.len() != raw {
            self.raw.resize(raw, Vec::new());
        }
        if self.checked.len() != checks {
            self.checked.resize(checks, (0, 0));
        }
        if self.chains.len() != terms {
            self.chains.resize(terms, Chain::default());
        }
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            // Entries of four billion mentions ago would count again.
            self.chains.fill(Chain::default());
            self.checked.fill((0, 0));
            self.epoch = 1;
        }
        self.links.clear();
        self.terms.clear();
    }

    fn chain(&self, term: TermId) -> Option<&Chain> {
        self.chains.get(term as usize).filter(|chain| chain.epoch == self.epoch)
    }

    /// Whether the term was seen.
    pub(super) fn has(&self, term: TermId) -> bool {
        self.chain(term).is_some()
    }

    /// The form where the term was seen last.
    pub(super) fn last_form(&self, term: TermId) -> Option<u32> {
        self.chain(term).and_then(|chain| self.links.get(chain.last as usize)).map(|link| link.form)
    }

    /// Whether a check is made for a form for the first time; its pattern may lie there often.
    pub(super) fn first_check(&mut self, check: u32, form: u32) -> bool {
        let now = (self.epoch, form);
        self.checked.get_mut(check as usize).is_some_and(|last| std::mem::replace(last, now) != now)
    }

    pub(super) fn note(&mut self, term: TermId, form: u32) {
        let index = super::plan::number(self.links.len());
        let Some(chain) = self.chains.get_mut(term as usize) else { return };
        self.links.push(Link { form, next: END });
        if chain.epoch == self.epoch {
            if let Some(last) = self.links.get_mut(chain.last as usize) {
                last.next = index;
            }
            chain.last = index;
        } else {
            *chain = Chain { epoch: self.epoch, first: index, last: index };
            self.terms.push(term);
        }
    }

    /// Every place of the term, ordered by position, each once.
    pub(super) fn occurrences(&self, term: TermId, tokens: &Tokens) -> Vec<Occurrence> {
        let mut found = Vec::new();
        let mut at = self.chain(term).map_or(END, |chain| chain.first);
        while let Some(link) = self.links.get(at as usize) {
            if let Some(form) = tokens.forms().get(link.form as usize) {
                found.push(Occurrence::of(link.form, form));
            }
            at = link.next;
        }
        in_order(&mut found);
        found
    }

    pub(super) fn note_raw(&mut self, raw: RawId, place: Place, bytes: Range<u32>) {
        let Some(places) = self.raw.get_mut(raw as usize) else { return };
        if places.is_empty() {
            self.raw_seen.push(raw);
        }
        if places.len() < RAW_PLACES {
            places.push((place, bytes));
        }
    }

    /// Where a raw text was seen.
    pub(super) fn raw(&self, raw: RawId) -> &[(Place, Range<u32>)] {
        self.raw.get(raw as usize).map_or(&[], Vec::as_slice)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.chains.capacity() * size_of::<Chain>()
            + self.links.capacity() * size_of::<Link>()
            + self.checked.capacity() * size_of::<(u32, u32)>()
            + self.terms.capacity() * size_of::<TermId>()
            + self.raw.iter().map(Vec::capacity).sum::<usize>() * size_of::<(Place, Range<u32>)>()
            + self.raw.capacity() * size_of::<Vec<(Place, Range<u32>)>>()
            + self.raw_seen.capacity() * size_of::<RawId>()
    }
}

/// Sorts by position and keeps one of several at the same positions.
pub(super) fn in_order(found: &mut Vec<Occurrence>) {
    found.sort_unstable();
    found.dedup_by_key(|occurrence| (occurrence.start, occurrence.end));
}

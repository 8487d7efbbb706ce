//! Where the terms of one mention were seen.
//!
//! Kept from mention to mention: an entry counts only when it bears the current epoch, so nothing
//! is cleared between two mentions.

use std::ops::Range;

use super::plan::{RawId, TermId};
use crate::text::tokens::{Form, Place, Tokens};

const END: u32 = u32::MAX;

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
    raw: Vec<(RawId, Place, Range<u32>)>,
}

impl Hits {
    /// Forgets the last mention.
    pub(super) fn reset(&mut self, terms: usize, checks: usize) {
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
        self.raw.clear();
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
        self.raw.push((raw, place, bytes));
    }

    pub(super) fn raw(&self, raw: RawId) -> impl Iterator<Item = (Place, Range<u32>)> {
        self.raw
            .iter()
            .filter(move |(id, ..)| *id == raw)
            .map(|(_, place, bytes)| (*place, bytes.clone()))
    }

    /// The raw texts seen, with repetitions.
    pub(super) fn raw_ids(&self) -> impl Iterator<Item = RawId> {
        self.raw.iter().map(|(id, ..)| *id)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.chains.capacity() * size_of::<Chain>()
            + self.links.capacity() * size_of::<Link>()
            + self.checked.capacity() * size_of::<(u32, u32)>()
            + self.terms.capacity() * size_of::<TermId>()
            + self.raw.capacity() * size_of::<(RawId, Place, Range<u32>)>()
    }
}

/// Sorts by position and keeps one of several at the same positions.
pub(super) fn in_order(found: &mut Vec<Occurrence>) {
    found.sort_unstable();
    found.dedup_by_key(|occurrence| (occurrence.start, occurrence.end));
}

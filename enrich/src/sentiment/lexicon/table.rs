//! The word list and the rules of one language, ready for look-ups.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::{
    LexiconError,
    german::{self, Inflection},
};
use crate::text::fold_word;

/// What a word or phrase does to the words around it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Role {
    /// Nothing.
    #[default]
    Plain,
    /// Turns what it stands with round.
    Negator,
    /// Strengthens (above 0) or weakens the word behind it by this share.
    Booster(f32),
    /// What follows counts more than what was said.
    Contrast,
    /// The opposite is meant.
    Irony,
}

/// A word as the rules see it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    /// -4 to 4; 0 for none.
    pub(super) valence: f32,
    pub(super) role: Role,
    /// Which word of a phrase it is; 0 for none.
    pub(super) symbol: u16,
    /// A noun may be the head of a compound.
    pub(super) noun: bool,
    pub(super) adjective: bool,
    /// A negator behind it turns it round as well: `gefällt mir nicht`.
    pub(super) takes_negator_behind: bool,
}

/// Several words with one meaning.
#[derive(Debug)]
pub(super) struct Phrase {
    /// The words behind the first one.
    rest: Vec<u16>,
    pub(super) role: Role,
    pub(super) valence: f32,
}

impl Phrase {
    /// Words in it.
    pub(super) fn words(&self) -> usize {
        self.rest.len() + 1
    }

    /// True when `following` begins with the words behind the first one.
    pub(super) fn goes_on(&self, following: impl Iterator<Item = u16>) -> bool {
        let mut compared = 0;
        let equal = self.rest.iter().zip(following).all(|(a, b)| {
            compared += 1;
            *a == b
        });
        equal && compared == self.rest.len()
    }
}

/// One language.
#[derive(Debug)]
pub(super) struct Table {
    // A fixed seed is safe: the keys are ours, a text is only looked up.
    words: HashMap<Box<str>, Entry, FixedState>,
    /// By the symbol of the first word, longest first.
    phrases: Vec<Vec<Phrase>>,
    german: bool,
}

/// A TSV file that is part of the binary.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listing {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
}

impl Listing {
    /// Its rows behind the header, with line numbers.
    pub(super) fn rows(self) -> impl Iterator<Item = (usize, Vec<&'static str>)> {
        self.text.lines().enumerate().skip(1).map(|(at, line)| (at + 1, line.split('\t').collect()))
    }

    pub(super) fn wrong(self, line: usize, problem: &'static str) -> LexiconError {
        LexiconError { file: self.name, line, problem }
    }

    pub(super) fn valence(self, line: usize, text: &str) -> Result<f32, LexiconError> {
        let valence: Option<f32> = text.parse().ok();
        valence
            .filter(|valence| valence.abs() <= 4.0)
            .ok_or(self.wrong(line, "the valence must be a number from -4 to 4"))
    }
}

impl Table {
    pub(super) fn new(words: Listing, rules: Listing, german: bool) -> Result<Self, LexiconError> {
        let mut table = Self { words: HashMap::default(), phrases: vec![Vec::new()], german };
        let inflected = table.read_words(words)?;
        // A word in the list means what the list says, whatever it could be a form of.
        for (form, entry) in inflected {
            table.words.entry(form.into()).or_insert(entry);
        }
        table.read_rules(rules)?;
        for phrases in &mut table.phrases {
            phrases.sort_by_key(|phrase| std::cmp::Reverse(phrase.words()));
        }
        Ok(table)
    }

    fn read_words(&mut self, words: Listing) -> Result<Vec<(String, Entry)>, LexiconError> {
        let mut folded = String::new();
        let mut inflected = Vec::new();
        for (line, row) in words.rows() {
            let (word, valence, inflection) = match row[..] {
                [word, valence] => (word, valence, Inflection::Exact),
                [word, valence, inflection] => {
                    let inflection = Inflection::parse(inflection).ok_or(
                        words.wrong(line, "the inflection must be exact, adjective, noun or verb"),
                    )?;
                    (word, valence, inflection)
                }
                _ => return Err(words.wrong(line, "a row is word, valence and perhaps inflection")),
            };
            fold_word(word, &mut folded);
            let entry = Entry {
                valence: words.valence(line, valence)?,
                noun: inflection == Inflection::Noun,
                adjective: inflection == Inflection::Adjective,
                takes_negator_behind: self.german
                    && matches!(inflection, Inflection::Verb | Inflection::Exact),
                ..Entry::default()
            };
            german::forms(&folded, inflection, |form| inflected.push((form, entry)));
            self.words.insert(folded.as_str().into(), entry);
        }
        Ok(inflected)
    }

    fn read_rules(&mut self, rules: Listing) -> Result<(), LexiconError> {
        for (line, row) in rules.rows() {
            let [phrase, role, value] = row[..] else {
                return Err(rules.wrong(line, "a row is phrase, role and value"));
            };
            let (role, valence) = match role {
                "plain" => (Role::Plain, 0.0),
                "negator" => (Role::Negator, 0.0),
                "booster" => (Role::Booster(rules.valence(line, value)?), 0.0),
                "contrast" => (Role::Contrast, 0.0),
                "irony" => (Role::Irony, 0.0),
                "idiom" => (Role::Plain, rules.valence(line, value)?),
                _ => return Err(rules.wrong(line, "the role is unknown")),
            };
            self.add_rule(phrase, role, valence);
        }
        Ok(())
    }

    fn add_rule(&mut self, phrase: &str, role: Role, valence: f32) {
        let mut symbols = Vec::new();
        let mut folded = String::new();
        let words: Vec<&str> = phrase.split(' ').collect();
        for word in &words {
            fold_word(word, &mut folded);
            let entry = self.words.entry(folded.as_str().into()).or_default();
            if let [_] = words[..] {
                entry.role = role;
                // `super` strengthens and praises; `kein` only negates.
                match role {
                    Role::Booster(_) => {}
                    _ => entry.valence = valence,
                }
                return;
            }
            if entry.symbol == 0 {
                // The rules are some hundred rows, so the count fits.
                entry.symbol = u16::try_from(self.phrases.len()).unwrap_or(u16::MAX);
                self.phrases.push(Vec::new());
            }
            symbols.push(entry.symbol);
        }
        let rest = symbols.split_off(1);
        self.phrases[usize::from(symbols[0])].push(Phrase { rest, role, valence });
    }

    /// The phrases that begin with this word, longest first.
    pub(super) fn phrases(&self, symbol: u16) -> &[Phrase] {
        &self.phrases[usize::from(symbol)]
    }

    /// What the list knows about a folded word.
    pub(super) fn find(&self, word: &str) -> Option<Entry> {
        self.words
            .get(word)
            .copied()
            .or_else(|| if self.german { self.derived(word) } else { None })
    }

    /// A word drawn out in writing, every run of letters as one: `toooll`, folded to `tooll`.
    pub(super) fn find_drawn_out(&self, word: &str) -> Option<Entry> {
        let mut short = String::with_capacity(word.len());
        for character in word.chars() {
            if !short.ends_with(character) {
                short.push(character);
            }
        }
        self.find(word).or_else(|| self.find(&short))
    }

    fn derived(&self, word: &str) -> Option<Entry> {
        let known = |part: &str| self.words.get(part).copied();
        if word.len() < 7 {
            return None;
        }
        if let Some(entry) = german::strengthened(word).and_then(known)
            && entry.valence != 0.0
        {
            return Some(Entry {
                valence: (entry.valence * 1.3).clamp(-4.0, 4.0),
                symbol: 0,
                ..entry
            });
        }
        if let Some(entry) = german::reversed(word).and_then(known)
            && entry.adjective
            && entry.valence > 0.0
        {
            return Some(Entry { valence: -0.9 * entry.valence, symbol: 0, ..entry });
        }
        let head = german::heads(word).find_map(|head| known(head).filter(|entry| entry.noun))?;
        Some(Entry { symbol: 0, role: Role::Plain, ..head })
    }
}

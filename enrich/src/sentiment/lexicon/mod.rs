//! The first scorer: word lists and rules for German and English, after VADER (C. J. Hutto and
//! E. Gilbert, *VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media
//! Text*, ICWSM 2014), with negation that follows its verb, inflection and compounds for German.
//!
//! ```text
//! text ─▶ tokens ─▶ sentences ─▶ phrases merged ─▶ strengthened, negated, contrasted ─▶ sum s
//!                     emoji, emoticons ──────────────────────────────────────────────────▲
//! compound c = s / √(s² + 15)      p(negative, neutral, positive) ∝ e^(-kc), e^t, e^(kc)
//! ```
//!
//! `k` says how much a word list is to be believed, `t` how much neutral is favoured; with c = 0
//! neutral has e^t / (e^t + 2). They are fitted per language on development data.
//!
//! Languages without a list get emoji and emoticons only, so mostly "neutral": that is what the
//! model does not know, not what the text says.

mod german;
mod sentence;
mod table;

use std::{collections::HashMap, fmt};

use echolot_schemas::enriched::{Distribution, ModelRef};
use foldhash::fast::FixedState;

use self::{
    sentence::{Unit, Word},
    table::{Listing, Table},
};
use super::{ScoreInput, Scorer, ScorerFault};
use crate::{
    model::model_ref,
    text::{TokenKind, fold_word, tokens},
};

/// Raised with every change of rules; a change of lists shows in the hash.
const VERSION: &str = "1";

/// Where the sum of valences is half way to certain, squared (Hutto & Gilbert 2014).
const SQUASH: f32 = 15.0;
/// What one exclamation mark adds to the sum, up to three of them (Hutto & Gilbert 2014).
const EXCLAMATION: f32 = 0.292;

const fn listing(name: &'static str, text: &'static str) -> Listing {
    Listing { name, text }
}

const DE: Listing = listing("de.tsv", include_str!("../../../lexicons/de.tsv"));
const RULES_DE: Listing = listing("rules_de.tsv", include_str!("../../../lexicons/rules_de.tsv"));
const EN: Listing = listing("en.tsv", include_str!("../../../lexicons/en.tsv"));
const RULES_EN: Listing = listing("rules_en.tsv", include_str!("../../../lexicons/rules_en.tsv"));
const EMOTICONS: Listing =
    listing("emoticons.tsv", include_str!("../../../lexicons/emoticons.tsv"));
const EMOJI: Listing = listing("emoji.tsv", include_str!("../../../lexicons/emoji.tsv"));
const EMOJI_NEWER: Listing =
    listing("emoji_newer.tsv", include_str!("../../../lexicons/emoji_newer.tsv"));

/// How a compound score becomes probabilities.
#[derive(Clone, Copy, Debug)]
struct Squashing {
    k: f32,
    t: f32,
}

/// Fitted on the development parts of UMSAB and `SB10k`; see `lexicons/README.md`.
const GERMAN: Squashing = Squashing { k: 2.25, t: 0.9 };
const ENGLISH: Squashing = Squashing { k: 2.25, t: 0.6 };
const OTHERS: Squashing = Squashing { k: 2.25, t: 0.9 };

/// A word list that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("enrich/lexicons/{file}, line {line}: {problem}")]
pub struct LexiconError {
    file: &'static str,
    line: usize,
    problem: &'static str,
}

/// The lexicon scorer, `lexicon-de-en`. Its lists are part of the binary; loading takes some
/// milliseconds and about 3 MB.
pub struct LexiconScorer {
    model: ModelRef,
    german: Table,
    english: Table,
    emoji: HashMap<char, f32, FixedState>,
    emoticons: HashMap<&'static str, f32, FixedState>,
}

impl fmt::Debug for LexiconScorer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LexiconScorer").field("model", &self.model).finish_non_exhaustive()
    }
}

impl LexiconScorer {
    /// Loads the lists.
    pub fn new() -> Result<Self, LexiconError> {
        let lists = [DE, RULES_DE, EN, RULES_EN, EMOTICONS, EMOJI, EMOJI_NEWER];
        let squashing = format!("{GERMAN:?}{ENGLISH:?}{OTHERS:?}");
        let mut parts: Vec<&[u8]> = lists.iter().map(|list| list.text.as_bytes()).collect();
        parts.push(squashing.as_bytes());

        let mut emoji = HashMap::default();
        for list in [EMOJI, EMOJI_NEWER] {
            for (name, valence) in pairs(list)? {
                emoji.extend(name.chars().next().map(|character| (character, valence)));
            }
        }
        Ok(Self {
            model: model_ref("lexicon-de-en", VERSION, &parts),
            german: Table::new(DE, RULES_DE, true)?,
            english: Table::new(EN, RULES_EN, false)?,
            emoji,
            emoticons: pairs(EMOTICONS)?.into_iter().collect(),
        })
    }

    fn table(&self, language: &str) -> (Option<&Table>, Squashing) {
        match language {
            "de" => (Some(&self.german), GERMAN),
            "en" => (Some(&self.english), ENGLISH),
            _ => (None, OTHERS),
        }
    }

    fn is_emoticon(&self, face: &str) -> bool {
        // A quoted word is none, and needs no look-up.
        let letters = face.bytes().filter(u8::is_ascii_alphanumeric).count();
        letters <= 2 && self.emoticons.contains_key(lower_face(face).as_str())
    }

    /// The sum of valences of a text: about -4 to 4 a sentence, unbounded.
    fn sum(&self, text: &str, table: Option<&Table>, scratch: &mut Scratch) -> f32 {
        let shouting = !text.chars().any(char::is_lowercase);
        let mut sum = 0.0;
        let mut exclamations = 0_u8;
        scratch.units.clear();
        for token in tokens(text, |face| self.is_emoticon(face)) {
            match token.kind {
                TokenKind::Word => {
                    if let Some(table) = table {
                        scratch.push_word(table, token.text, shouting);
                    }
                }
                TokenKind::Emoji => {
                    let character = token.text.chars().next();
                    sum += character.and_then(|c| self.emoji.get(&c)).copied().unwrap_or(0.0);
                }
                TokenKind::Emoticon => {
                    let face = lower_face(token.text);
                    sum += self.emoticons.get(face.as_str()).copied().unwrap_or(0.0);
                }
                TokenKind::Pause => scratch.units.push(Unit::Pause),
                TokenKind::Stop | TokenKind::Exclamation | TokenKind::Question => {
                    exclamations +=
                        u8::from(token.kind == TokenKind::Exclamation && exclamations < 3);
                    sum += scratch.close(table, token.kind == TokenKind::Question);
                }
            }
        }
        sum += scratch.close(table, false);
        // Irony marks stand apart from what they are about; scorn is seldom ironic praise.
        if std::mem::take(&mut scratch.ironic) && sum > 0.0 {
            sum = -sum;
        }
        if sum == 0.0 { sum } else { sum + (EXCLAMATION * f32::from(exclamations)).copysign(sum) }
    }
}

impl Scorer for LexiconScorer {
    fn model(&self) -> &ModelRef {
        &self.model
    }

    fn score(&self, texts: &[ScoreInput<'_>]) -> Result<Vec<Distribution>, ScorerFault> {
        let mut scratch = Scratch::default();
        let score = |input: &ScoreInput<'_>| {
            let (table, squashing) = self.table(input.language);
            squashing.distribution(self.sum(input.text, table, &mut scratch))
        };
        Ok(texts.iter().map(score).collect())
    }
}

impl Squashing {
    fn distribution(self, sum: f32) -> Distribution {
        let compound = sum / (sum * sum + SQUASH).sqrt();
        let positive = (self.k * compound).exp();
        let negative = positive.recip();
        let neutral = self.t.exp();
        let all = positive + negative + neutral;
        Distribution { negative: negative / all, neutral: neutral / all, positive: positive / all }
    }
}

/// Buffers kept from text to text.
#[derive(Default)]
struct Scratch {
    folded: String,
    units: Vec<Unit>,
    /// The text marks itself as irony.
    ironic: bool,
}

impl Scratch {
    fn push_word(&mut self, table: &Table, word: &str, shouting: bool) {
        let drawn_out = fold_word(word, &mut self.folded);
        let entry =
            if drawn_out { table.find_drawn_out(&self.folded) } else { table.find(&self.folded) };
        let capitals = !shouting && word.len() > 2 && !word.chars().any(char::is_lowercase);
        let entry = entry.unwrap_or_default();
        self.units.push(Unit::Word(Word { entry, emphatic: drawn_out || capitals }));
    }

    fn close(&mut self, table: Option<&Table>, question: bool) -> f32 {
        let Some(table) = table else { return 0.0 };
        let said = sentence::read(table, &mut self.units, question);
        self.units.clear();
        self.ironic |= said.ironic;
        said.valence
    }
}

/// `:-D` is listed as `:-d`, and `:)))` counts as `:)`.
fn lower_face(face: &str) -> String {
    let mut lower = face.to_ascii_lowercase();
    while lower.len() > 2 && lower.as_bytes()[lower.len() - 1] == lower.as_bytes()[lower.len() - 2]
    {
        lower.pop();
    }
    lower
}

fn pairs(list: Listing) -> Result<Vec<(&'static str, f32)>, LexiconError> {
    list.rows()
        .map(|(line, row)| match row[..] {
            [name, valence] if !name.is_empty() => Ok((name, list.valence(line, valence)?)),
            _ => Err(list.wrong(line, "a row is a sign and its valence")),
        })
        .collect()
}

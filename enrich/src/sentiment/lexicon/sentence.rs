//! The rules: what the words of one sentence say together.

use super::table::{Entry, Role, Table};

/// A word or a pause in a sentence.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unit {
    /// End of a clause: negation does not reach across.
    Pause,
    Word(Word),
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Word {
    pub(super) entry: Entry,
    /// Written in capitals, or with a letter drawn out.
    pub(super) emphatic: bool,
}

/// How far a negator reaches, in words.
const NEGATION_REACH: usize = 4;
/// A negated praise is a complaint: few say worse than "not good".
const NEGATED_POSITIVE: f32 = -1.0;
/// A negated complaint is a mild praise.
const NEGATED_NEGATIVE: f32 = -0.5;
/// What stands before `but`, and behind it (Hutto & Gilbert 2014: 0.5 and 1.5).
const BEFORE_CONTRAST: f32 = 0.5;
const BEHIND_CONTRAST: f32 = 1.5;
/// Capitals or a drawn-out letter (Hutto & Gilbert 2014: 0.733).
const EMPHASIS: f32 = 0.733;
/// A strengthening word two places away counts a little less.
const FARTHER: f32 = 0.9;
/// What a question says is not claimed.
const QUESTION: f32 = 0.7;

/// What a sentence says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Said {
    /// Sum of valences.
    pub(super) valence: f32,
    /// It is marked as irony.
    pub(super) ironic: bool,
}

/// Reads a sentence. `units` is left with its phrases merged.
pub(super) fn read(table: &Table, units: &mut Vec<Unit>, question: bool) -> Said {
    merge_phrases(table, units);
    let contrast = units.iter().rposition(|unit| role(unit) == Role::Contrast);
    let mut sum = 0.0;
    for at in 0..units.len() {
        let Unit::Word(word) = units[at] else { continue };
        if word.entry.valence == 0.0 || strengthens_the_next(units, at) {
            continue;
        }
        let mut value = strengthened(units, at, word.entry.valence);
        if word.emphatic {
            value += EMPHASIS.copysign(value);
        }
        if negated(units, at, &word.entry) {
            value *= if value > 0.0 { NEGATED_POSITIVE } else { NEGATED_NEGATIVE };
        }
        sum += value
            * match contrast {
                Some(turn) if at < turn => BEFORE_CONTRAST,
                Some(_) => BEHIND_CONTRAST,
                None => 1.0,
            };
    }
    Said {
        valence: if question { sum * QUESTION } else { sum },
        ironic: units.iter().any(|unit| role(unit) == Role::Irony),
    }
}

/// Puts one word in the place of each known phrase, the longest first.
fn merge_phrases(table: &Table, units: &mut Vec<Unit>) {
    let mut at = 0;
    while at < units.len() {
        if let Unit::Word(word) = units[at]
            && let Some(phrase) = table
                .phrases(word.entry.symbol)
                .iter()
                .find(|phrase| phrase.goes_on(units[at + 1..].iter().map(symbol)))
        {
            let entry = Entry { valence: phrase.valence, role: phrase.role, ..Entry::default() };
            units[at] = Unit::Word(Word { entry, emphatic: word.emphatic });
            units.drain(at + 1..at + phrase.words());
        }
        at += 1;
    }
}

fn symbol(unit: &Unit) -> u16 {
    match unit {
        Unit::Pause => 0,
        Unit::Word(word) => word.entry.symbol,
    }
}

fn role(unit: &Unit) -> Role {
    match unit {
        Unit::Pause => Role::Plain,
        Unit::Word(word) => word.entry.role,
    }
}

fn valenced(unit: &Unit) -> bool {
    matches!(unit, Unit::Word(word) if word.entry.valence != 0.0)
}

fn praising(unit: &Unit) -> bool {
    matches!(unit, Unit::Word(word) if word.entry.valence > 0.0)
}

/// `super` in `super freundlich` is no praise of its own.
fn strengthens_the_next(units: &[Unit], at: usize) -> bool {
    matches!(role(&units[at]), Role::Booster(_)) && units.get(at + 1).is_some_and(valenced)
}

fn strengthened(units: &[Unit], at: usize, value: f32) -> f32 {
    let mut value = value;
    for (distance, unit) in units[..at].iter().rev().take(2).enumerate() {
        match unit {
            Unit::Pause => break,
            Unit::Word(word) => {
                if let Role::Booster(share) = word.entry.role {
                    value *= 1.0 + share * if distance == 0 { 1.0 } else { FARTHER };
                }
            }
        }
    }
    value
}

fn negated(units: &[Unit], at: usize, entry: &Entry) -> bool {
    let before = clause(units[..at].iter().rev());
    let negators = before.filter(|unit| role(unit) == Role::Negator).count();
    negators % 2 == 1 || (negators == 0 && negated_behind(&units[at + 1..], entry))
}

/// `gefällt mir gar nicht`: German verbs take their negator behind them, unless it belongs to
/// another word that follows.
fn negated_behind(behind: &[Unit], entry: &Entry) -> bool {
    if !entry.takes_negator_behind || entry.valence < 0.0 {
        return false;
    }
    let reach = clause(behind.iter()).count();
    let Some(negator) = behind[..reach].iter().position(|unit| role(unit) == Role::Negator) else {
        return false;
    };
    // `überzeugt mich leider nicht`: what regrets does not take the negator.
    let own = !behind[..negator].iter().any(praising);
    let next = clause(behind[negator + 1..].iter()).take(2).any(valenced);
    own && !next
}

/// The units up to a pause, as far as a negator reaches.
fn clause<'a>(units: impl Iterator<Item = &'a Unit>) -> impl Iterator<Item = &'a Unit> {
    units.take(NEGATION_REACH).take_while(|unit| matches!(unit, Unit::Word(_)))
}

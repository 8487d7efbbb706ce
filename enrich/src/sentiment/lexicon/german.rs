//! German word formation, light: enough inflection that a list of base forms covers running text,
//! and the head of a compound, which is its last part.

/// How a listed word changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inflection {
    /// Not at all.
    Exact,
    /// `gut gute guter gutes guten gutem`, with the comparative and superlative of `schnell`.
    Adjective,
    /// Plural and genitive endings; it may also end a compound.
    Noun,
    /// A weak verb in the infinitive: `nerven nervt nervte genervt`.
    Verb,
}

impl Inflection {
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "exact" => Some(Self::Exact),
            "adjective" => Some(Self::Adjective),
            "noun" => Some(Self::Noun),
            "verb" => Some(Self::Verb),
            _ => None,
        }
    }
}

const ADJECTIVE: [&str; 14] = [
    "e", "er", "es", "en", "em", "ere", "erer", "eres", "eren", "erem", "ste", "sten", "ster",
    "stes",
];
/// For stems in `e`, such as `müde`.
const ADJECTIVE_AFTER_E: [&str; 9] = ["r", "s", "n", "m", "re", "rer", "res", "ren", "ste"];
const NOUN: [&str; 7] = ["e", "n", "en", "er", "ern", "s", "es"];
const VERB: [&str; 11] = ["e", "st", "est", "t", "et", "te", "ete", "ten", "test", "tet", "end"];
const PARTICIPLE: [&str; 6] = ["", "e", "er", "es", "en", "em"];
/// Verbs with these take no `ge-` in the participle.
const INSEPARABLE: [&str; 8] = ["be", "ver", "er", "ent", "zer", "miss", "ueber", "unter"];

/// Calls `found` with every form of `word` but the listed one. `word` is folded
/// (`crate::text::fold_word`).
pub(super) fn forms(word: &str, inflection: Inflection, mut found: impl FnMut(String)) {
    match inflection {
        Inflection::Exact => {}
        Inflection::Adjective => {
            let endings: &[&str] =
                if word.ends_with('e') { &ADJECTIVE_AFTER_E } else { &ADJECTIVE };
            for ending in endings {
                found(format!("{word}{ending}"));
            }
            // teuer: teure; edel: edle
            let elided = ["er", "el"]
                .iter()
                .find_map(|tail| word.strip_suffix(tail).zip(tail.chars().last()));
            if let Some((stem, last)) = elided {
                for ending in &ADJECTIVE[..5] {
                    found(format!("{stem}{last}{ending}"));
                }
            }
        }
        Inflection::Noun => {
            for ending in NOUN {
                found(format!("{word}{ending}"));
            }
        }
        Inflection::Verb => {
            let stem = word.strip_suffix("en").or_else(|| word.strip_suffix('n')).unwrap_or(word);
            for ending in VERB {
                found(format!("{stem}{ending}"));
            }
            let inseparable = INSEPARABLE.iter().any(|prefix| word.starts_with(prefix));
            let prefix = if inseparable || word.ends_with("ieren") { "" } else { "ge" };
            let t = if stem.ends_with(['t', 'd']) { "et" } else { "t" };
            for ending in PARTICIPLE {
                found(format!("{prefix}{stem}{t}{ending}"));
                found(format!("{stem}end{ending}"));
            }
        }
    }
}

/// First parts that only strengthen what follows: `megageil`, `saublöd`.
const STRENGTHENING: [&str; 11] =
    ["mega", "super", "sau", "ober", "hammer", "ultra", "voll", "tod", "stink", "arsch", "hyper"];

/// The rest of a word behind a part that only strengthens it.
pub(super) fn strengthened(word: &str) -> Option<&str> {
    STRENGTHENING.iter().find_map(|part| word.strip_prefix(part)).filter(|rest| rest.len() >= 4)
}

/// The adjective that `un-` turns round, as in `unfreundlich`.
pub(super) fn reversed(word: &str) -> Option<&str> {
    word.strip_prefix("un").filter(|rest| rest.len() >= 5)
}

/// What may be the head of a compound, longest first: at least five letters behind at least three.
pub(super) fn heads(word: &str) -> impl Iterator<Item = &str> {
    const LONGEST: usize = 18;
    let ascii = word.is_ascii();
    let last = word.len().saturating_sub(5);
    let first = 3.max(word.len().saturating_sub(LONGEST));
    (first..=last).filter(move |_| ascii && word.len() >= 8).map(|at| &word[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(word: &str, inflection: Inflection) -> Vec<String> {
        let mut out = Vec::new();
        forms(word, inflection, |form| out.push(form));
        out
    }

    #[test]
    fn adjectives_nouns_and_weak_verbs_take_their_endings() {
        assert!(all("schnell", Inflection::Adjective).contains(&"schnellsten".to_owned()));
        assert!(all("teuer", Inflection::Adjective).contains(&"teure".to_owned()));
        assert!(all("problem", Inflection::Noun).contains(&"probleme".to_owned()));
        let nerven = all("nerven", Inflection::Verb);
        for form in ["nervt", "nervte", "genervt", "nervende"] {
            assert!(nerven.contains(&form.to_owned()), "{form}");
        }
        assert!(all("enttaeuschen", Inflection::Verb).contains(&"enttaeuschte".to_owned()));
    }

    #[test]
    fn a_compound_offers_its_heads_longest_first() {
        assert_eq!(heads("serverchaos").next(), Some("verchaos"));
        assert!(heads("serverchaos").any(|head| head == "chaos"));
        assert_eq!(heads("chaos").count(), 0);
        assert_eq!(heads("наприклад").count(), 0);
    }
}

//! What is legal in a query and probably not meant.

use super::ast::{Expr, Leaf, Span};
use super::error::utf16;
use super::field::FieldTest;
use crate::text::words;

/// What a query does that its author may not mean.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WarningKind {
    /// True without any of its words.
    #[error("this also matches mentions that hold none of its words")]
    MatchesWithoutWords,
    /// No mention passes.
    #[error("this matches nothing: {why}")]
    MatchesNothing {
        /// The contradiction.
        why: &'static str,
    },
    /// A word that is everywhere is enough.
    #[error("`{word}` alone is enough to match, and nearly every text holds it")]
    CommonWord {
        /// The word.
        word: String,
    },
    /// `and`, `oder`: searched as a word.
    #[error("`{word}` is searched as a word; the operator is {operator}")]
    LooksLikeOperator {
        /// As written.
        word: String,
        /// The operator.
        operator: &'static str,
    },
    /// `a AND b OR c` without parentheses.
    #[error("AND binds closer than OR here; add parentheses to say which is meant")]
    MixedOperators,
    /// `C++`.
    #[error("the signs of `{word}` are not searched; use raw:\"{word}\"")]
    LostSigns {
        /// As written.
        word: String,
    },
    /// `Bahn?` looks for one letter more.
    #[error("`?` stands for exactly one letter; `{word}` does not find the word without it")]
    QuestionMark {
        /// As written.
        word: String,
    },
}

/// A warning at a place of a query.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Warning {
    /// What.
    #[serde(serialize_with = "as_text", rename = "message")]
    pub kind: WarningKind,
    /// Where, in bytes.
    pub bytes: Span,
    /// Where, in UTF-16 units.
    pub utf16: Span,
}

fn as_text<S: serde::Serializer>(kind: &WarningKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(kind)
}

pub(super) fn warnings(query: &str, expr: &Expr) -> Vec<Warning> {
    let mut found = Vec::new();
    if without_words(expr) {
        found.push((WarningKind::MatchesWithoutWords, expr.span()));
    }
    enough_alone(expr, &mut |leaf| {
        if is_common(&leaf.value) {
            found.push((WarningKind::CommonWord { word: leaf.value.clone() }, leaf.span));
        }
    });
    walk(query, expr, &mut found);
    found
        .into_iter()
        .map(|(kind, bytes)| Warning { kind, bytes, utf16: utf16(query, bytes.start, bytes.end) })
        .collect()
}

/// Whether a mention without any of the words can match: every word false, every field true. Who
/// names a tag, an author or a place means it: those stand for words.
fn without_words(expr: &Expr) -> bool {
    match expr {
        Expr::Text(_) | Expr::Raw(_) | Expr::Near(_) => false,
        Expr::Field(leaf) => !matches!(
            leaf.value,
            FieldTest::Tag(_) | FieldTest::Author(_) | FieldTest::Site(_) | FieldTest::Url(_)
        ),
        Expr::Not(inner) => !always(inner),
        Expr::And(children) => children.iter().all(without_words),
        Expr::Or(children) => children.iter().any(without_words),
    }
}

/// Whether an expression is true whatever the words are.
fn always(expr: &Expr) -> bool {
    match expr {
        Expr::Or(children) => {
            children.iter().any(always)
                || children.iter().any(|child| children.iter().any(|other| opposes(child, other)))
        }
        Expr::And(children) => children.iter().all(always),
        _ => false,
    }
}

fn opposes(a: &Expr, b: &Expr) -> bool {
    matches!(a, Expr::Not(inner) if **inner == *b)
}

/// Calls `visit` with every single word that alone makes the expression true.
fn enough_alone<'e>(expr: &'e Expr, visit: &mut impl FnMut(&'e Leaf<String>)) {
    match expr {
        Expr::Text(leaf) => visit(leaf),
        Expr::Or(children) => children.iter().for_each(|child| enough_alone(child, visit)),
        Expr::And(children) => {
            // Exclusions and fields narrow little: a single word beside them is still alone.
            let mut words =
                children.iter().filter(|child| !matches!(child, Expr::Not(_) | Expr::Field(_)));
            if let (Some(only), None) = (words.next(), words.next()) {
                enough_alone(only, visit);
            }
        }
        Expr::Raw(_) | Expr::Field(_) | Expr::Not(_) | Expr::Near(_) => {}
    }
}

fn walk(query: &str, expr: &Expr, found: &mut Vec<(WarningKind, Span)>) {
    match expr {
        Expr::Text(leaf) => text(query, leaf, found),
        Expr::Raw(_) | Expr::Field(_) => {}
        Expr::Not(inner) => walk(query, inner, found),
        Expr::And(children) => {
            if let Some(why) = contradiction(children) {
                found.push((WarningKind::MatchesNothing { why }, expr.span()));
            }
            for child in children {
                walk(query, child, found);
            }
        }
        Expr::Or(children) => {
            for child in children {
                if matches!(child, Expr::And(_)) && !parenthesised(query, child.span()) {
                    found.push((WarningKind::MixedOperators, child.span()));
                    break;
                }
            }
            for child in children {
                walk(query, child, found);
            }
        }
        Expr::Near(near) => near.operands.iter().for_each(|child| walk(query, child, found)),
    }
}

/// Whether the span is directly surrounded by parentheses.
fn parenthesised(query: &str, span: Span) -> bool {
    let before = query.get(..span.start).unwrap_or_default().trim_end_matches([' ', '-', '(']);
    let open = query.get(before.len()..span.start).is_some_and(|gap| gap.contains('('));
    let close = query.get(span.end..).unwrap_or_default().trim_start().starts_with(')');
    open && close
}

fn contradiction(children: &[Expr]) -> Option<&'static str> {
    for (index, child) in children.iter().enumerate() {
        for other in children.iter().skip(index + 1) {
            if opposes(child, other) || opposes(other, child) {
                return Some("the same thing is demanded and excluded");
            }
            if let (Expr::Field(a), Expr::Field(b)) = (child, other)
                && excluding(a, b)
            {
                return Some("no mention has both of these values");
            }
        }
    }
    None
}

fn excluding(a: &Leaf<FieldTest>, b: &Leaf<FieldTest>) -> bool {
    a.value.excludes(&b.value)
}

fn text(query: &str, leaf: &Leaf<String>, found: &mut Vec<(WarningKind, Span)>) {
    let word = &leaf.value;
    // In quotation marks, too, signs divide words.
    for word in word.split(' ').filter(|word| words::cut(word).is_ok_and(|cut| cut.lost_signs)) {
        found.push((WarningKind::LostSigns { word: word.to_owned() }, leaf.span));
    }
    let quoted = query.get(leaf.span.start..leaf.span.end).is_some_and(|written| written != word);
    if quoted {
        return;
    }
    let operator = match word.to_lowercase().as_str() {
        "and" | "und" | "et" | "y" => Some("AND"),
        "or" | "oder" | "ou" => Some("OR"),
        "not" | "nicht" => Some("NOT"),
        "near" => Some("NEAR/5"),
        _ => None,
    };
    if let Some(operator) = operator {
        found.push((WarningKind::LooksLikeOperator { word: word.clone(), operator }, leaf.span));
    }
    if word.ends_with('?') && word.matches('?').count() == 1 {
        found.push((WarningKind::QuestionMark { word: word.clone() }, leaf.span));
    }
}

/// The words that stand in a large part of all posts of a language.
pub(crate) fn is_common(word: &str) -> bool {
    COMMON.binary_search(&word.to_lowercase().as_str()).is_ok()
}

const COMMON: [&str; 132] = [
    "a", "aber", "al", "all", "alle", "als", "am", "an", "and", "are", "as", "at", "au", "auch",
    "auf", "aus", "be", "bei", "bin", "but", "by", "che", "con", "da", "das", "dass", "de", "del",
    "dem", "den", "der", "des", "di", "die", "do", "du", "e", "ein", "eine", "einen", "el", "en",
    "er", "es", "est", "et", "for", "from", "für", "has", "hat", "have", "he", "i", "ich", "ihr",
    "il", "im", "in", "is", "ist", "it", "ja", "je", "kann", "la", "las", "le", "les", "los",
    "man", "me", "mehr", "mein", "mit", "my", "nach", "ne", "nicht", "no", "noch", "non", "not",
    "nur", "o", "oder", "of", "on", "one", "or", "os", "para", "pas", "per", "por", "que", "rt",
    "se", "si", "sich", "sie", "sind", "so", "son", "sur", "that", "the", "they", "this", "to",
    "um", "un", "una", "und", "une", "uno", "uns", "von", "vor", "was", "we", "wenn", "wer", "wie",
    "will", "wir", "with", "y", "you", "your", "zu", "zum",
];

//! Words that are searched for, and where they stand.

use crate::error::ApiError;

/// Longest search, in characters.
const LONGEST: usize = 200;
/// Most words of a search.
const MOST: usize = 8;

/// First character and the one behind the last, counted in UTF-16 code units as browsers do.
pub(crate) type Span = (u32, u32);

/// The words of a search: parts between blanks, or between quotes.
pub(crate) fn of(search: &str) -> Result<Vec<String>, ApiError> {
    if search.chars().count() > LONGEST {
        return Err(ApiError::parameter("q", format!("must have at most {LONGEST} characters")));
    }
    let mut words = Vec::new();
    for (part, text) in search.split('"').enumerate() {
        if part % 2 == 1 {
            words.push(text.trim().to_lowercase());
        } else {
            words.extend(text.split_whitespace().map(str::to_lowercase));
        }
    }
    words.retain(|word| !word.is_empty());
    if words.len() > MOST {
        return Err(ApiError::parameter("q", format!("must have at most {MOST} words")));
    }
    Ok(words)
}

/// Where any of the words stands in a text, whatever its case; ordered, none inside another.
pub(crate) fn places(text: &str, words: &[String]) -> Vec<Span> {
    // Lower case may have other lengths, so every lowered character remembers where it comes from.
    let mut lowered = String::with_capacity(text.len());
    let mut origins = Vec::with_capacity(text.len());
    let mut at = 0_u32;
    for character in text.chars() {
        for lower in character.to_lowercase() {
            lowered.push(lower);
            origins.resize(lowered.len(), at);
        }
        at += u32::from(character.len_utf16() == 2) + 1;
    }
    origins.push(at);
    let mut spans: Vec<Span> = words
        .iter()
        .flat_map(|word| lowered.match_indices(word.as_str()))
        .map(|(start, found)| (origins[start], end_of(&origins, start + found.len())))
        .collect();
    spans.sort_unstable();
    merged(spans)
}

/// The end of a match in the text: where the first character behind it begins.
fn end_of(origins: &[u32], behind: usize) -> u32 {
    let last = origins[behind - 1];
    origins[behind..].iter().copied().find(|at| *at > last).unwrap_or(last)
}

/// Bytes of a text as UTF-16 code units; a byte inside of a character counts as its start.
pub(crate) fn in_utf16(text: &str, bytes: std::ops::Range<usize>) -> Span {
    let units = |byte: usize| {
        let length: usize = text
            .char_indices()
            .take_while(|(at, _)| *at < byte)
            .map(|(_, character)| character.len_utf16())
            .sum();
        u32::try_from(length).unwrap_or(u32::MAX)
    };
    (units(bytes.start), units(bytes.end))
}

fn merged(spans: Vec<Span>) -> Vec<Span> {
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.0 <= last.1 => last.1 = last.1.max(span.1),
            _ => merged.push(span),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_at_blanks_and_quotes_keep_them_together() {
        assert_eq!(of(r#" Tram "zu spät"  Ärger" "#).unwrap(), ["tram", "zu spät", "ärger"]);
        assert_eq!(of("  ").unwrap(), [""; 0]);
    }

    #[test]
    fn a_search_without_end_is_refused() {
        assert!(of(&"x".repeat(201)).is_err());
        assert!(of("a b c d e f g h i").is_err());
    }

    #[test]
    fn places_count_as_browsers_count_whatever_the_case() {
        let words = of("ärger").unwrap();
        assert_eq!(places("😀 ÄRGER und Ärger", &words), [(3, 8), (13, 18)]);
        // Lowered, this letter is longer than before.
        assert_eq!(places("İÄrger!", &words), [(1, 6)]);
        assert_eq!(places("nichts", &words), []);
    }

    #[test]
    fn overlapping_places_become_one() {
        assert_eq!(places("abab", &of("aba bab").unwrap()), [(0, 4)]);
    }

    #[test]
    fn bytes_become_code_units() {
        assert_eq!(in_utf16("ä😀x", 2..6), (1, 3));
    }
}

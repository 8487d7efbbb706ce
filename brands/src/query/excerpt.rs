//! The part of a query or a file around an error, as a terminal can show it.

use super::ast::Span;
use crate::text::fold::is_invisible;

/// Characters shown before a place, and of the place itself.
const BEFORE: usize = 30;
/// Characters shown behind a place.
const BEHIND: usize = 40;

/// One line of a query, cut to what surrounds a place, and the place in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Excerpt {
    /// The line, behind the one before it and as many empty ones as keep its number.
    pub(crate) text: String,
    /// Bytes of `text`.
    pub(crate) mark: Span,
}

impl Excerpt {
    /// Of the line in which `span` begins; `span` lies between characters of `query`.
    pub(crate) fn of(query: &str, span: Span) -> Self {
        let (before, rest) = query.split_at_checked(span.start).unwrap_or((query, ""));
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let before_in_line = &before[line_start..];
        let line_rest = rest.split('\n').next().unwrap_or_default();
        let place = span.end.saturating_sub(span.start).min(line_rest.len());
        let place = line_rest[..line_rest.floor_char_boundary(place)].chars().count().min(BEFORE);

        let skipped = before_in_line.chars().count().saturating_sub(BEFORE);
        let mut text = String::new();
        if let Some(above) = before[..line_start].strip_suffix('\n') {
            text.push_str(&"\n".repeat(above.matches('\n').count()));
            let above = above.rsplit('\n').next().unwrap_or_default();
            text.extend(above.chars().take(BEFORE).map(visible));
            text.extend((above.chars().count() > BEFORE).then_some('…'));
            text.push('\n');
        }
        text.extend((skipped > 0).then_some('…'));
        text.extend(before_in_line.chars().skip(skipped).map(visible));
        let start = text.len();
        text.extend(line_rest.chars().take(place).map(visible));
        let end = text.len();
        text.extend(line_rest.chars().skip(place).take(BEHIND).map(visible));
        text.extend((line_rest.chars().count() > place + BEHIND).then_some('…'));
        Self { text, mark: Span::new(start, end) }
    }
}

/// What neither steers the terminal nor hides from the eye.
fn visible(c: char) -> char {
    // Without its joiner and its variation selector an emoji would fall apart.
    let in_emoji = matches!(c, '\u{200D}' | '\u{FE0F}');
    if c == '\t' {
        ' '
    } else if c.is_control() || (is_invisible(c) && !in_emoji) {
        char::REPLACEMENT_CHARACTER
    } else {
        c
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(query: &str, start: usize, end: usize) -> (String, String) {
        let Excerpt { text, mark } = Excerpt::of(query, Span::new(start, end));
        (text[mark.start..mark.end].to_owned(), text)
    }

    #[test]
    fn a_short_query_is_shown_whole() {
        assert_eq!(shown("bahn AND (", 9, 10), ("(".into(), "bahn AND (".into()));
        assert_eq!(shown("", 0, 0), (String::new(), String::new()));
    }

    #[test]
    fn of_a_long_line_only_what_surrounds_the_place_is_shown() {
        let query = format!("{}({}", "ü ".repeat(10_000), "b ".repeat(10_000));
        let (mark, text) = shown(&query, 30_000, 30_001);
        assert_eq!(mark, "(");
        assert!(text.starts_with("…ü") || text.starts_with("… "), "{text}");
        assert!(text.ends_with('…') && text.chars().count() < 100, "{text}");
        let (mark, text) = shown(&query, 0, query.len());
        assert!(mark.chars().count() == BEFORE && text.ends_with('…'), "{text}");
    }

    #[test]
    fn a_line_keeps_its_number() {
        let (mark, text) = shown("bahn OR\nbus OR\n(tram", 15, 16);
        assert_eq!((mark.as_str(), text.as_str()), ("(", "\nbus OR\n(tram"));
    }

    #[test]
    fn what_steers_a_terminal_or_hides_is_replaced() {
        let (mark, text) = shown("a \u{1b}[31m \u{202e}b\tc", 2, 3);
        assert_eq!((mark.as_str(), text.as_str()), ("\u{FFFD}", "a \u{FFFD}[31m \u{FFFD}b c"));
    }
}

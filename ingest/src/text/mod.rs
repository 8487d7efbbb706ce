//! Markup to the plain text that a reader sees.
//!
//! The tokenizer is html5gum (WHATWG), which reads any tag soup in one pass and holds no tree, so
//! depth costs nothing. Paragraphs, list items and line breaks become line breaks; scripts, styles
//! and the like are left out; whatever stands in `<pre>` keeps its lines.

use echolot_schemas::limits;
use html5gum::{Token, Tokenizer, emitters::default::DefaultEmitter};

/// Text past this is not collected: it is too long for a mention anyway, and is refused as such.
const TEXT_MOST: usize = limits::TEXT_BYTES + 4096;

/// The text of an HTML fragment or page.
pub fn of_html(html: &str) -> String {
    of_html_without(html, &[])
}

/// As [`of_html`], without what stands in elements of these names.
pub fn of_html_without(html: &str, left_out: &[&str]) -> String {
    let mut text = Layout::default();
    let mut hidden: Option<(Vec<u8>, u32)> = None;
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    for token in Tokenizer::new_with_emitter(html, emitter).flatten() {
        match token {
            Token::StartTag(tag) => {
                if let Some((name, depth)) = &mut hidden {
                    if *name == **tag.name && !tag.self_closing {
                        *depth += 1;
                    }
                } else if (is_hidden(&tag.name)
                    || left_out.iter().any(|name| name.as_bytes() == &**tag.name))
                    && !tag.self_closing
                {
                    hidden = Some((tag.name.to_vec(), 1));
                } else {
                    text.start(&tag.name);
                }
            }
            Token::EndTag(tag) => {
                if let Some((name, depth)) = &mut hidden {
                    if *name == **tag.name {
                        *depth -= 1;
                    }
                    if *depth == 0 {
                        hidden = None;
                    }
                } else {
                    text.end(&tag.name);
                }
            }
            Token::String(string) if hidden.is_none() => {
                text.words(&String::from_utf8_lossy(&string));
            }
            Token::String(_) | Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
        if text.out.len() > TEXT_MOST {
            break;
        }
    }
    text.finish()
}

/// Elements whose content nobody reads.
fn is_hidden(name: &[u8]) -> bool {
    matches!(name, b"script" | b"style" | b"template" | b"iframe" | b"svg" | b"noembed" | b"select")
}

/// How many line breaks a tag is worth.
fn breaks(name: &[u8]) -> u8 {
    match name {
        b"p" | b"blockquote" | b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" | b"ul" | b"ol"
        | b"pre" | b"table" | b"dl" | b"figure" | b"hr" => 2,
        b"div" | b"li" | b"tr" | b"dt" | b"dd" | b"article" | b"section" | b"header"
        | b"footer" | b"aside" | b"figcaption" | b"address" | b"details" | b"summary" | b"form"
        | b"option" | b"title" => 1,
        _ => 0,
    }
}

/// Puts words on lines: white space is one space, breaks add up to at most one empty line.
#[derive(Default)]
struct Layout {
    out: String,
    /// Breaks that are due before the next word.
    due: u8,
    /// A space is due before the next word.
    space: bool,
    /// Depth of `<pre>`.
    preformatted: u32,
}

impl Layout {
    fn start(&mut self, name: &[u8]) {
        match name {
            b"br" => self.due = self.due.saturating_add(1).min(2),
            b"pre" => self.preformatted = self.preformatted.saturating_add(1),
            b"td" | b"th" => self.space = true,
            _ => {}
        }
        self.due = self.due.max(breaks(name));
    }

    fn end(&mut self, name: &[u8]) {
        if name == b"pre" {
            self.preformatted = self.preformatted.saturating_sub(1);
        }
        self.due = self.due.max(breaks(name));
    }

    fn words(&mut self, text: &str) {
        if self.preformatted > 0 {
            for (index, line) in text.split('\n').enumerate() {
                if index > 0 {
                    self.due = self.due.saturating_add(1).min(2);
                }
                self.word(line.trim_end());
            }
            return;
        }
        let mut pieces = text.split(is_space).peekable();
        while let Some(piece) = pieces.next() {
            self.word(piece);
            self.space |= pieces.peek().is_some();
        }
    }

    fn word(&mut self, word: &str) {
        if word.is_empty() || self.out.len() > TEXT_MOST {
            return;
        }
        if !self.out.is_empty() {
            if self.due > 0 {
                self.out.extend(std::iter::repeat_n('\n', self.due.into()));
            } else if self.space {
                self.out.push(' ');
            }
        }
        (self.due, self.space) = (0, false);
        // A NUL may stand in no mention, and a soft hyphen is not read.
        self.out.extend(word.chars().filter(|c| !matches!(c, '\0' | '\u{ad}')));
    }

    fn finish(mut self) -> String {
        self.out.truncate(self.out.trim_end().len());
        self.out
    }
}

/// White space as HTML collapses it, and the no-break space, which posts use at random.
fn is_space(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{a0}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_and_breaks_become_lines_and_entities_letters() {
        let html =
            "<p>Gr&uuml;&szlig;e aus <b>K&ouml;ln</b>!<br>Bis bald &amp; danke</p><p>Ada</p>";
        assert_eq!(of_html(html), "Grüße aus Köln!\nBis bald & danke\n\nAda");
    }

    #[test]
    fn a_link_shortened_for_the_eye_is_whole() {
        let html = r#"<a href="x"><span class="invisible">https://</span><span>example.org/a</span><span class="invisible">bc</span></a>"#;
        assert_eq!(of_html(html), "https://example.org/abc");
    }

    #[test]
    fn scripts_and_styles_are_not_text() {
        assert_eq!(of_html("a<script>if (1 < 2) alert('</b>')</script><style>b{}</style>c"), "ac");
        assert_eq!(of_html("a <svg><svg>x</svg><title>y</title></svg> b"), "a b");
    }

    #[test]
    fn elements_that_are_not_wanted_are_left_out_with_all_in_them() {
        let html = "<aside class=\"quote\">a <aside>b</aside> c</aside><p>d</p>";
        assert_eq!(of_html_without(html, &["aside"]), "d");
        assert_eq!(of_html(html), "a\nb\nc\n\nd");
    }

    #[test]
    fn white_space_is_one_space_but_lines_of_code_stay() {
        assert_eq!(of_html("  a \n\t b&nbsp;c  "), "a b c");
        assert_eq!(of_html("<pre>let a;\n  let b;</pre>"), "let a;\n  let b;");
    }

    #[test]
    fn plain_text_stays_as_it_is() {
        assert_eq!(of_html("5 < 6 and 7 > 6"), "5 < 6 and 7 > 6");
    }

    #[test]
    fn depth_and_length_cost_nothing() {
        assert_eq!(of_html(&("<div>".repeat(200_000) + "x")), "x");
        assert!(of_html(&"wort ".repeat(1_000_000)).len() <= TEXT_MOST + 16);
    }
}

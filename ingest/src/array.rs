//! Where the elements of a JSON array end, found without parsing them: one that is broken does not
//! spoil those behind it, and an array need not be in memory as a whole.

use memchr::memchr2;

/// Finds the end of one element, over as many chunks as it takes.
#[derive(Debug, Default)]
pub(crate) struct ElementScan {
    depth: u64,
    in_string: bool,
    escaped: bool,
}

impl ElementScan {
    /// Offset in `chunk` of the `,` or `]` behind the element; none when it goes on behind `chunk`.
    pub(crate) fn find_end(&mut self, chunk: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = chunk.get(at) {
            if self.escaped {
                self.escaped = false;
            } else if self.in_string {
                at += memchr2(b'"', b'\\', &chunk[at..])?;
                self.escaped = chunk[at] == b'\\';
                self.in_string = self.escaped;
            } else {
                match byte {
                    b'"' => self.in_string = true,
                    b'[' | b'{' => self.depth += 1,
                    b',' | b']' if self.depth == 0 => return Some(at),
                    b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
            }
            at += 1;
        }
        None
    }
}

/// What stands at one place of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element<'a> {
    /// The bytes of an element, white space around it included.
    Whole(&'a [u8]),
    /// What is left when the array breaks off within an element.
    BrokenOff(&'a [u8]),
    /// What stands behind the array's end.
    Trailing(&'a [u8]),
}

/// The elements of a JSON array that is in memory.
#[derive(Debug)]
pub(crate) struct Elements<'a> {
    rest: &'a [u8],
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    First,
    Further,
    Closed,
    Done,
}

impl<'a> Elements<'a> {
    /// The elements of `array`, which begins with `[`.
    pub(crate) fn of(array: &'a [u8]) -> Self {
        Self { rest: array.get(1..).unwrap_or_default(), state: State::First }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        match self.state {
            State::Done => return None,
            State::Closed => {
                self.state = State::Done;
                let trailing = self.rest.trim_ascii();
                return (!trailing.is_empty()).then_some(Element::Trailing(trailing));
            }
            State::First | State::Further => {}
        }
        let Some(end) = ElementScan::default().find_end(self.rest) else {
            self.state = State::Done;
            return Some(Element::BrokenOff(self.rest));
        };
        let (element, behind) = self.rest.split_at(end);
        let closed = behind.first() == Some(&b']');
        let empty_array = self.state == State::First && closed && element.trim_ascii().is_empty();
        self.rest = &behind[1..];
        self.state = if closed { State::Closed } else { State::Further };
        if empty_array { self.next() } else { Some(Element::Whole(element)) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wholes(array: &str) -> Vec<String> {
        Elements::of(array.as_bytes()).map(|element| format!("{element:?}")).collect()
    }

    fn whole(text: &str) -> String {
        format!("{:?}", Element::Whole(text.as_bytes()))
    }

    #[test]
    fn commas_and_brackets_inside_strings_and_nested_values_end_no_element() {
        let found = wholes(r#"[{"a":"],\"}"},[1,2],"x"]"#);
        assert_eq!(found, [whole(r#"{"a":"],\"}"}"#), whole("[1,2]"), whole("\"x\"")]);
    }

    #[test]
    fn an_empty_array_has_no_elements() {
        assert_eq!(wholes("[ ]"), Vec::<String>::new());
    }

    #[test]
    fn an_array_that_breaks_off_and_one_that_goes_on_too_long_are_told_apart() {
        let broken = Element::BrokenOff(b"2");
        assert_eq!(wholes("[1,2"), [whole("1"), format!("{broken:?}")]);
        let trailing = Element::Trailing(b"x");
        assert_eq!(wholes("[1] x"), [whole("1"), format!("{trailing:?}")]);
    }

    proptest! {
        #[test]
        fn an_element_ends_at_the_same_byte_however_it_is_cut_into_chunks(
            text in r#"[a,\[\]{}"\\]{0,40}"#,
            cut in 0_usize..40,
        ) {
            let bytes = text.as_bytes();
            let (head, tail) = bytes.split_at(cut.min(bytes.len()));
            let mut scan = ElementScan::default();
            let in_two =
                scan.find_end(head).or_else(|| scan.find_end(tail).map(|end| head.len() + end));
            prop_assert_eq!(in_two, ElementScan::default().find_end(bytes));
        }
    }
}

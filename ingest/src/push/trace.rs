//! The sender's trace context, handed on only when it is one.

/// Checks a `traceparent` against W3C Trace Context, version 00: lower-case hex, ids not zero.
pub(crate) fn traceparent(header: Option<&str>) -> Option<&str> {
    let header = header?;
    let mut parts = header.split('-');
    let mut hex = |length: usize| {
        parts.next().filter(|part| {
            part.len() == length
                && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        })
    };
    let (version, trace, parent, _flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
    let named = |id: &str| id.bytes().any(|byte| byte != b'0');
    let ends = header.len() == 55;
    (version == "00" && named(trace) && named(parent) && ends).then_some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_trace_context_is_handed_on() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(traceparent(Some(good)), Some(good));
        let bad = [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ];
        for header in bad {
            assert_eq!(traceparent(Some(header)), None, "{header}");
        }
        assert_eq!(traceparent(None), None);
    }
}

//! The canonical form: explicit `AND`, parentheses only where needed, quotes only where needed.

use std::fmt;

use super::ast::Expr;
use super::field::quoted;
use super::lex;

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(leaf) => f.write_str(&text(&leaf.value)),
            Self::Raw(leaf) => write!(f, "raw:{}", quoted(&leaf.value)),
            Self::Field(leaf) => leaf.value.fmt(f),
            Self::Not(inner) => {
                f.write_str("NOT ")?;
                operand(f, inner, strength(self))
            }
            Self::And(children) => joined(f, children, " AND ", strength(self)),
            Self::Or(children) => joined(f, children, " OR ", strength(self)),
            Self::Near(near) => {
                for (index, child) in near.operands.iter().enumerate() {
                    if let Some(gap) = index.checked_sub(1).and_then(|gap| near.gaps.get(gap)) {
                        write!(f, " NEAR/{}{} ", gap.words, if gap.ordered { "f" } else { "" })?;
                    }
                    operand(f, child, strength(self))?;
                }
                Ok(())
            }
        }
    }
}

/// How strongly an expression holds together.
const fn strength(expr: &Expr) -> u8 {
    match expr {
        Expr::Or(_) => 0,
        Expr::And(_) => 1,
        Expr::Not(_) => 2,
        Expr::Near(_) => 3,
        Expr::Text(_) | Expr::Raw(_) | Expr::Field(_) => 4,
    }
}

fn joined(f: &mut fmt::Formatter<'_>, children: &[Expr], operator: &str, outer: u8) -> fmt::Result {
    for (index, child) in children.iter().enumerate() {
        if index > 0 {
            f.write_str(operator)?;
        }
        operand(f, child, outer)?;
    }
    Ok(())
}

fn operand(f: &mut fmt::Formatter<'_>, child: &Expr, outer: u8) -> fmt::Result {
    if strength(child) > outer { write!(f, "{child}") } else { write!(f, "({child})") }
}

/// A word bare where it reads back as the same word, else in quotes.
fn text(value: &str) -> String {
    let taken = value.starts_with('-')
        || matches!(value, "AND" | "OR" | "NOT" | "&&" | "&" | "+" | "||" | "|" | "!")
        || lex::near(value).is_some()
        || lex::field(value).is_some();
    if taken { lex::in_quotes(value) } else { quoted(value) }
}

//! One brand, three posts: who matches and why.
//!
//! `cargo run -p echolot-brands --example match`

#![expect(clippy::print_stdout, reason = "an example reports on standard output")]

use echolot_brands::{Post, Query};

fn main() -> anyhow::Result<()> {
    let (query, warnings) = Query::parse("(bahn* NEAR/5 verspät*) OR #DeutscheBahn -autobahn")?;
    for warning in warnings {
        println!("warning at {}..{}: {}", warning.bytes.start, warning.bytes.end, warning.kind);
    }
    println!("{query}\n");
    for text in [
        "Die Bahn ist wieder verspaetet",
        "Stau auf der Autobahn #DeutscheBahn",
        "Der Bus kam pünktlich",
    ] {
        let post = Post::text(text);
        println!("{}", query.explain(&post)?.render(&post));
    }
    if let Err(error) = Query::parse("bahn AND autor:müller") {
        println!("{}", error.render());
    }
    Ok(())
}

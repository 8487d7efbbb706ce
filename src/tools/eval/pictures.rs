//! Confusion, calibration and coverage as SVG, drawn by hand: three kinds of marks need no library.

use std::{fmt::Write as _, path::Path};

use echolot_schemas::enriched::Polarity;

use super::{
    metrics::{CLASSES, Sums},
    report::save,
};

/// Side of a picture's square, in pixels; the margins come on top.
const SIDE: f64 = 300.0;
const MARGIN: f64 = 70.0;

/// How often which polarity was taken for which, in shares of the gold class.
pub(super) fn confusion(path: &Path, title: &str, sums: &Sums) -> anyhow::Result<()> {
    let cell = SIDE / CLASSES as f64;
    let mut body = String::new();
    for gold in Polarity::ALL {
        let row = sums.confusion[gold as usize];
        let all = f64::from(row.iter().sum::<u32>().max(1));
        let y = MARGIN + cell * f64::from(gold as u8);
        for said in Polarity::ALL {
            let count = row[said as usize];
            let share = f64::from(count) / all;
            let x = MARGIN + cell * f64::from(said as u8);
            let ink = if share > 0.55 { "#fff" } else { "#123" };
            write!(
                body,
                r##"<rect x="{x:.1}" y="{y:.1}" width="{cell:.1}" height="{cell:.1}" fill="#1f5f8b" fill-opacity="{share:.3}" stroke="#ccc"/>"##
            )?;
            text(&mut body, x + cell / 2.0, y + cell / 2.0, ink, &format!("{share:.2} ({count})"))?;
        }
        text(&mut body, MARGIN / 2.0, y + cell / 2.0, "#123", gold.as_str())?;
        let x = MARGIN + cell * (f64::from(gold as u8) + 0.5);
        text(&mut body, x, MARGIN + SIDE + 20.0, "#123", gold.as_str())?;
    }
    text(&mut body, MARGIN + SIDE / 2.0, MARGIN + SIDE + 45.0, "#123", "said; rows are gold")?;
    page(path, title, &body)
}

/// How often the model is right when it is so sure.
pub(super) fn calibration(path: &Path, title: &str, sums: &Sums) -> anyhow::Result<()> {
    let points: Vec<(f64, f64)> = sums
        .bins
        .iter()
        .filter(|(texts, ..)| *texts > 0)
        .map(|(texts, confidence, right)| {
            (confidence / f64::from(*texts), f64::from(*right) / f64::from(*texts))
        })
        .collect();
    let mut body = String::new();
    write!(
        body,
        r##"<line x1="{MARGIN}" y1="{}" x2="{}" y2="{MARGIN}" stroke="#bbb" stroke-dasharray="4"/>"##,
        MARGIN + SIDE,
        MARGIN + SIDE
    )?;
    curve(&mut body, &points)?;
    axes(&mut body, "confidence", "right")?;
    page(path, title, &body)
}

/// How often the model is right on the surest share of the texts.
pub(super) fn coverage(path: &Path, title: &str, points: &[(f64, f64)]) -> anyhow::Result<()> {
    let mut body = String::new();
    curve(&mut body, points)?;
    axes(&mut body, "share of the texts, surest first", "right")?;
    page(path, title, &body)
}

fn curve(body: &mut String, points: &[(f64, f64)]) -> anyhow::Result<()> {
    let place = |(x, y): &(f64, f64)| (MARGIN + SIDE * x, MARGIN + SIDE * (1.0 - y));
    let line: Vec<String> =
        points.iter().map(place).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    write!(
        body,
        r##"<polyline points="{}" fill="none" stroke="#1f5f8b" stroke-width="2"/>"##,
        line.join(" ")
    )?;
    for (x, y) in points.iter().map(place) {
        write!(body, r##"<circle cx="{x:.1}" cy="{y:.1}" r="3.5" fill="#1f5f8b"/>"##)?;
    }
    Ok(())
}

fn axes(body: &mut String, across: &str, up: &str) -> anyhow::Result<()> {
    write!(
        body,
        r##"<rect x="{MARGIN}" y="{MARGIN}" width="{SIDE}" height="{SIDE}" fill="none" stroke="#888"/>"##
    )?;
    for tenth in [0.0, 0.2, 0.4, 0.6, 0.8, 1.0] {
        let at = SIDE * tenth;
        text(body, MARGIN + at, MARGIN + SIDE + 18.0, "#123", &format!("{tenth:.1}"))?;
        text(body, MARGIN - 18.0, MARGIN + SIDE - at, "#123", &format!("{tenth:.1}"))?;
    }
    text(body, MARGIN + SIDE / 2.0, MARGIN + SIDE + 42.0, "#123", across)?;
    text(body, MARGIN - 45.0, MARGIN + SIDE / 2.0, "#123", up)
}

fn text(body: &mut String, x: f64, y: f64, ink: &str, said: &str) -> anyhow::Result<()> {
    Ok(write!(
        body,
        r#"<text x="{x:.1}" y="{y:.1}" fill="{ink}" text-anchor="middle" dominant-baseline="middle">{said}</text>"#
    )?)
}

fn page(path: &Path, title: &str, body: &str) -> anyhow::Result<()> {
    let side = SIDE + 2.0 * MARGIN;
    let middle = side / 2.0;
    save(
        path,
        &format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/><text x="{middle}" y="30" text-anchor="middle" font-size="15" fill="#123">{title}</text>{body}</svg>
"##
        ),
    )
}

//! A backtest as a picture: series, expectation band, incidents. SVG without any script or font.

use std::fmt::Write as _;

use crate::backtest::{Backtest, Point};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 34.0;
/// A year hour by hour is more than anyone sees: so many points are drawn at most.
const MOST: usize = 1400;

/// The picture.
pub fn svg(backtest: &Backtest) -> String {
    let step = backtest.points.len().div_ceil(MOST).max(1);
    // Of hours that fall together the highest is drawn: peaks must not vanish.
    let points: Vec<Point> = backtest
        .points
        .chunks(step)
        .filter_map(|chunk| chunk.iter().copied().max_by(|a, b| a.observed.total_cmp(&b.observed)))
        .collect();
    let most = points.iter().map(|p| p.observed.max(p.upper)).fold(4.0, f64::max);
    let span = (backtest.to - backtest.from).max(1) as f64;
    let x = |at: i64| LEFT + (at - backtest.from) as f64 / span * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - value / most * (HEIGHT - TOP - BOTTOM);
    let line = |value: &dyn Fn(&Point) -> f64| -> String {
        points.iter().fold(String::new(), |mut line, p| {
            let _ = write!(line, "{:.1},{:.1} ", x(p.at), y(value(p)));
            line
        })
    };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"18\" font-size=\"13\">{}: negative voices an hour, \
         {} incident(s)</text>\n",
        escaped(&backtest.brand),
        backtest.incidents.len()
    );
    for incident in &backtest.incidents {
        let (from, to) = (x(incident.opened_at), x(incident.closed_at.unwrap_or(backtest.to)));
        let _ = writeln!(
            out,
            "<rect x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"#c0392b\" \
             fill-opacity=\"0.18\"/>\n<text x=\"{from:.1}\" y=\"{:.1}\" fill=\"#c0392b\">{} {} {}</text>",
            (to - from).max(2.0),
            HEIGHT - TOP - BOTTOM,
            TOP - 4.0,
            incident.kind.as_str(),
            incident.severity.as_str(),
            time(incident.opened_at),
        );
    }
    let _ = writeln!(
        out,
        "<polygon points=\"{}{:.1},{base:.1} {:.1},{base:.1}\" fill=\"#2c7fb8\" fill-opacity=\"0.15\"/>\n\
         <polyline points=\"{}\" fill=\"none\" stroke=\"#2c7fb8\"/>\n\
         <polyline points=\"{}\" fill=\"none\" stroke=\"#222\"/>",
        line(&|p| p.upper),
        x(backtest.to),
        LEFT,
        line(&|p| p.expected),
        line(&|p| p.observed),
        base = HEIGHT - BOTTOM,
    );
    for part in 0..=4 {
        let value = most * f64::from(part) / 4.0;
        let at = backtest.from + (span * f64::from(part) / 4.0) as i64;
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value:.0}</text>\n\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{}\">{}</text>",
            LEFT - 6.0,
            y(value) + 4.0,
            x(at),
            HEIGHT - 14.0,
            if part == 4 { "end" } else { "start" },
            time(at),
        );
    }
    out + "<text x=\"944\" y=\"18\" text-anchor=\"end\" fill=\"#555\">black: counted, blue: expected, \
           band: one hour in a thousand, red: incident</text>\n</svg>\n"
}

fn time(minute: i64) -> String {
    jiff::Timestamp::from_second(minute * 60)
        .map(|at| at.strftime("%Y-%m-%d %H:%M").to_string())
        .unwrap_or_default()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

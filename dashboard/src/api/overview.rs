//! A card for each brand, and how the mentions divide among them.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Query, State},
};
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    error::{ApiError, Failure},
    period::{Period, PeriodQuery, written_seconds},
    server::Shared,
    uncertainty::{Counts, Net},
};

/// Points of a spark line.
const POINTS: i64 = 40;

/// All brands in one period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Overview {
    /// The period, on the borders of what is counted.
    from: String,
    to: String,
    /// Begin of the period of the same length before it.
    previous_from: String,
    /// Seconds between the points of the spark lines.
    step: i64,
    /// All mentions, each once, however many brands it is about.
    mentions: u64,
    /// In the period before.
    previous_mentions: u64,
    /// The most mentioned first. What a brand's own accounts wrote is left out.
    brands: Vec<Card>,
}

/// One brand.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Card {
    brand: String,
    mentions: u64,
    previous_mentions: u64,
    negative: u64,
    neutral: u64,
    positive: u64,
    /// Absent where there are no mentions.
    net: Option<Net>,
    previous_net: Option<Net>,
    /// True when the change of net sentiment is larger than chance explains, 19 times of 20.
    clear: bool,
    /// Part of the mentions of all brands, 0 to 1; one of two brands counts for both.
    share: f64,
    open_incidents: u64,
    /// From `from` on, one for each `step`.
    spark: Vec<Point>,
}

/// A point of a spark line.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct Point {
    mentions: u64,
    /// Absent where there are no mentions.
    net: Option<f64>,
}

#[derive(Row, Deserialize)]
struct Slot {
    brand: String,
    slot: i64,
    mentions: u64,
    negative: u64,
    neutral: u64,
    positive: u64,
    net: f64,
}

#[derive(Row, Deserialize)]
struct Open {
    brand: String,
    incidents: u64,
}

/// Incidents that were not closed by the end of the period.
const OPEN: &str = "SELECT brand, count() AS incidents FROM \
    (SELECT incident, any(brand) AS brand, argMax(phase, step) AS last FROM incidents FINAL \
     WHERE at < fromUnixTimestamp({end:Int64}) GROUP BY incident) WHERE last != 'closed' GROUP BY brand";

/// Cards of all brands.
#[utoipa::path(get, path = "/overview", params(PeriodQuery), responses(
    (status = 200, body = Overview), (status = 400, body = Failure), (status = 503, body = Failure)))]
pub(crate) async fn overview(
    State(shared): State<Shared>,
    Query(query): Query<PeriodQuery>,
) -> Result<Json<Overview>, ApiError> {
    let period = Period::read(&query)?;
    let step = period.step(POINTS);
    let sql = format!(
        "SELECT brand, if(at < {{from:Int64}}, -1, intDiv(at - {{from:Int64}}, {{step:Int64}})) AS slot, \
         sum(c.mentions) AS mentions, sum(c.negative) AS negative, sum(c.neutral) AS neutral, \
         sum(c.positive) AS positive, sum(c.net_sentiment * c.mentions) AS net \
         FROM {} AS c WHERE brand != '' AND (NOT owned OR brand = '*') GROUP BY brand, slot",
        period.grain.counts()
    );
    let slots = shared.reader.ask::<Slot>(&sql, |query| {
        query
            .param("start", period.before())
            .param("end", period.to)
            .param("from", period.from)
            .param("step", step)
    });
    let open = shared.reader.ask::<Open>(OPEN, |query| query.param("end", period.to));
    let (slots, open) = tokio::try_join!(slots, open)?;
    let mut brands: BTreeMap<String, Sums> =
        shared.configured_brands().into_iter().map(|brand| (brand, Sums::default())).collect();
    let points = usize::try_from((period.length() + step - 1) / step).unwrap_or_default();
    for slot in slots {
        brands.entry(slot.brand.clone()).or_default().take(&slot, points);
    }
    let open = open.into_iter().map(|open| (open.brand, open.incidents)).collect();
    Ok(Json(assemble(period, step, brands, &open)))
}

#[derive(Default)]
struct Sums {
    now: Counts,
    before: Counts,
    spark: Vec<Counts>,
}

impl Sums {
    fn take(&mut self, slot: &Slot, points: usize) {
        let counts = Counts {
            mentions: slot.mentions,
            negative: slot.negative,
            neutral: slot.neutral,
            positive: slot.positive,
            net: slot.net,
        };
        self.spark.resize(points, Counts::default());
        match usize::try_from(slot.slot) {
            Ok(at) => {
                self.now.add(counts);
                if let Some(point) = self.spark.get_mut(at) {
                    point.add(counts);
                }
            }
            Err(_) => self.before.add(counts),
        }
    }
}

fn assemble(
    period: Period,
    step: i64,
    mut brands: BTreeMap<String, Sums>,
    open: &BTreeMap<String, u64>,
) -> Overview {
    let all = brands.remove("*").unwrap_or_default();
    let total: u64 = brands.values().map(|sums| sums.now.mentions).sum();
    let mut cards: Vec<Card> = brands
        .into_iter()
        .map(|(brand, sums)| Card {
            mentions: sums.now.mentions,
            previous_mentions: sums.before.mentions,
            negative: sums.now.negative,
            neutral: sums.now.neutral,
            positive: sums.now.positive,
            net: sums.now.net(),
            previous_net: sums.before.net(),
            clear: sums.now.differs_from(&sums.before),
            share: if total == 0 { 0.0 } else { sums.now.mentions as f64 / total as f64 },
            open_incidents: open.get(&brand).copied().unwrap_or_default(),
            spark: sums
                .spark
                .iter()
                .map(|counts| Point {
                    mentions: counts.mentions,
                    net: counts.net().map(|net| net.value),
                })
                .collect(),
            brand,
        })
        .collect();
    cards.sort_by(|a, b| b.mentions.cmp(&a.mentions).then_with(|| a.brand.cmp(&b.brand)));
    Overview {
        from: written_seconds(period.from),
        to: written_seconds(period.to),
        previous_from: written_seconds(period.before()),
        step,
        mentions: all.now.mentions,
        previous_mentions: all.before.mentions,
        brands: cards,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::period::Grain;

    fn slot(slot: i64, negative: u64, positive: u64) -> Slot {
        let (mentions, net) = (negative + positive, positive as f64 - negative as f64);
        Slot { brand: "nordwerk".to_owned(), slot, mentions, negative, neutral: 0, positive, net }
    }

    #[test]
    fn slots_before_the_period_are_the_previous_one_and_never_a_point() {
        let mut sums = Sums::default();
        for one in [slot(-1, 1, 1), slot(0, 0, 2), slot(1, 4, 0)] {
            sums.take(&one, 2);
        }
        let period = Period { from: 7200, to: 14_400, grain: Grain::Hour };
        let brands =
            BTreeMap::from([("nordwerk".to_owned(), sums), ("idle".to_owned(), Sums::default())]);
        let overview =
            assemble(period, 3600, brands, &BTreeMap::from([("nordwerk".to_owned(), 1)]));
        let card = &overview.brands[0];
        assert_eq!((card.mentions, card.previous_mentions, card.open_incidents), (6, 2, 1));
        let spark: Vec<u64> = card.spark.iter().map(|point| point.mentions).collect();
        assert_eq!(spark, [2, 4]);
        assert!((card.share - 1.0).abs() < f64::EPSILON);
        assert_eq!((overview.brands[1].mentions, overview.brands[1].net), (0, None));
    }
}

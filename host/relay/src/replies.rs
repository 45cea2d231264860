//! What the reply table misses, for operators: a log line for each new shape, metrics, and the list itself.
//!
//! The table is `posthouse_upstream::replies`; it comes with the snapshot. The memory of what it misses outlives
//! snapshots, and the admin address shows it from `Snapshot::replies`.

use std::sync::Arc;

use metrics::{counter, describe_counter};
use posthouse_upstream::replies::unlisted::{Shape, Unlisted};
use tracing::warn;

/// A memory that logs each shape that is new to it.
pub(crate) fn unlisted() -> Arc<Unlisted> {
    Arc::new(Unlisted::telling(tell))
}

fn tell(shape: &Shape) {
    warn!(
        provider = shape.provider.word(),
        stage = shape.stage.word(),
        code = shape.code,
        enhanced = shape.enhanced.map(|code| code.to_string()),
        shape = shape.text,
        "the reply table has no row for this reply; add one in the file of [replies]"
    );
}

/// Reads the counts into the metrics. Labels are bounded: providers, stages and codes are few.
pub(crate) fn record(unlisted: &Unlisted) {
    describe_counter!("posthouse_provider_unknown_replies_total", "replies that no row of the reply table explains");
    describe_counter!("posthouse_provider_unknown_replies_unkept_total", "those whose shape there was no room for");
    for ((provider, stage, code), count) in unlisted.counts() {
        let labels =
            [("provider", provider.word().to_owned()), ("stage", stage.word().to_owned()), ("code", code.to_string())];
        counter!("posthouse_provider_unknown_replies_total", &labels).absolute(count);
    }
    counter!("posthouse_provider_unknown_replies_unkept_total").absolute(unlisted.unkept());
}

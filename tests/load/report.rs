//! What is printed: one line a measurement, figures in columns.
#![expect(clippy::print_stdout, reason = "the report is what this program is for")]

use crate::drive::Outcome;
use crate::world::Cost;

pub(crate) fn say(line: &str) {
    println!("{line}");
}

pub(crate) fn heading(title: &str) {
    println!("\n{title}");
    println!(
        "  {:<34} {:>9} {:>9} {:>9} {:>9} {:>10} {:>9}",
        "", "msg/s", "p50 ms", "p95 ms", "p99 ms", "CPU us/msg", "RSS MiB"
    );
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(crate) fn row(name: &str, outcome: &Outcome, cost: &Cost) {
    println!(
        "  {name:<34} {:>9.0} {:>9.2} {:>9.2} {:>9.2} {:>10.1} {:>9.1}",
        outcome.rate(),
        outcome.percentile(0.5),
        outcome.percentile(0.95),
        outcome.percentile(0.99),
        cost.micros_per_message,
        cost.peak_rss_kib as f64 / 1024.0
    );
    // Whoever waits for a processor that another machine has is late, whatever the program does.
    if cost.stolen > 0.02 {
        println!("    the host gave {:.0} % of the processors' time to other machines meanwhile", cost.stolen * 100.0);
    }
    if outcome.refused > 0 || !outcome.errors.is_empty() {
        let first = outcome.errors.first().map_or("", String::as_str);
        println!("    {} refused, {} errors {first}", outcome.refused, outcome.errors.len());
    }
}

/// The middle one of some figures; there is at least one.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

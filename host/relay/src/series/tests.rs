//! Series come and go with their owners.

use metrics::{counter, describe_counter, gauge, histogram, with_local_recorder};

use super::Series;
use crate::metrics::{AccountMetrics, TenantMetrics};

fn shown(series: &Series, name: &str) -> Vec<String> {
    let page = series.render();
    page.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect()
}

#[test]
fn a_series_goes_with_its_owner_and_begins_anew_with_it() {
    let series = Series::default();
    let of = |account: &str| AccountMetrics::register("acme", account);
    with_local_recorder(&series, || {
        let (tenant, one, other) = (TenantMetrics::register("acme"), of("one"), of("other"));
        for metrics in [&one, &other] {
            metrics.delivered.increment(2);
            metrics.delivery_seconds.record(0.01);
            metrics.count_undelivered("deferred", "busy");
        }
        tenant.turned_away.increment(1);
        let again = of("one");
        drop(one);
        again.delivered.increment(1);
        let delivered = |account: &str, count: u32| {
            format!("posthouse_messages_total{{tenant=\"acme\",account=\"{account}\",result=\"delivered\"}} {count}")
        };
        assert!(shown(&series, "posthouse_messages_total").contains(&delivered("one", 3)), "it counts on");
        drop(again);
        series.tidy();
        let page = series.render();
        assert!(!page.contains("one") && page.contains(&delivered("other", 2)), "{page}");
        assert!(page.contains("posthouse_delivery_seconds_bucket{tenant=\"acme\",account=\"other\",le=\"0.01\"} 1"));
        let back = of("one");
        back.delivered.increment(1);
        assert!(shown(&series, "posthouse_messages_total").contains(&delivered("one", 1)));
        assert_eq!(
            shown(&series, "posthouse_tenant_connections_refused_total"),
            ["posthouse_tenant_connections_refused_total{tenant=\"acme\"} 1"]
        );
    });
}

#[test]
fn a_late_word_about_an_owner_that_is_gone_brings_nothing_back() {
    let series = Series::default();
    with_local_recorder(&series, || {
        counter!("late_total", "tenant" => "gone", "account" => "main").increment(1);
        gauge!("late", "tenant" => "gone").set(1.0);
        histogram!("late_seconds", "tenant" => "gone").record(1.0);
    });
    assert_eq!(series.render(), "");
}

#[test]
fn memory_is_bounded_however_many_tenants_come_and_go() {
    let series = Series::default();
    with_local_recorder(&series, || {
        let stays = TenantMetrics::register("stays");
        for number in 0..3_000 {
            let (tenant, account) = (format!("tenant-{number}"), format!("account-{number}"));
            let _tenant = TenantMetrics::register(&tenant);
            AccountMetrics::register(&tenant, &account).delivered.increment(1);
            if number % 100 == 0 {
                series.tidy();
                assert!(series.inner.owners.read().unwrap().len() <= 2, "this one and the one that stays");
            }
        }
        series.tidy();
        assert_eq!(series.inner.owners.read().unwrap().len(), 1);
        assert!(!series.render().contains("tenant-"));
        drop(stays);
    });
}

#[test]
fn a_name_is_explained_once_and_its_series_stand_together() {
    let series = Series::default();
    with_local_recorder(&series, || {
        describe_counter!("b_total", "what b counts");
        let held: Vec<_> = ["x", "y"].map(|tenant| counter!("b_total", "tenant" => tenant)).into();
        counter!("b_total").increment(5);
        counter!("a_total").increment(1);
        held.iter().for_each(|counter| counter.increment(1));
        let page = series.render();
        let mut lines: Vec<&str> = page.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(
            lines[..5],
            [
                "# TYPE a_total counter",
                "a_total 1",
                "# HELP b_total what b counts",
                "# TYPE b_total counter",
                "b_total 5"
            ]
        );
        lines[5..].sort_unstable();
        assert_eq!(lines[5..], ["b_total{tenant=\"x\"} 1", "b_total{tenant=\"y\"} 1"]);
        assert!(page.ends_with("\n\n"));
    });
}

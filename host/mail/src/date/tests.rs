//! Dates that are easily got wrong.

use super::Date;

fn shown(unix_seconds: u64) -> String {
    Date::from_unix_seconds(unix_seconds).to_string()
}

#[test]
fn dates_are_those_of_the_calendar() {
    assert_eq!(shown(0), "Thu, 1 Jan 1970 00:00:00 +0000");
    assert_eq!(shown(951_782_400), "Tue, 29 Feb 2000 00:00:00 +0000");
    assert_eq!(shown(951_868_799), "Tue, 29 Feb 2000 23:59:59 +0000");
    assert_eq!(shown(951_868_800), "Wed, 1 Mar 2000 00:00:00 +0000");
    assert_eq!(shown(1_795_442_530), "Mon, 23 Nov 2026 14:02:10 +0000");
    assert_eq!(shown(4_107_542_399), "Sun, 28 Feb 2100 23:59:59 +0000");
    assert_eq!(shown(4_107_542_400), "Mon, 1 Mar 2100 00:00:00 +0000");
    assert_eq!(shown(1_798_761_599), "Thu, 31 Dec 2026 23:59:59 +0000");
}

#[test]
fn rfc_3339_is_the_same_moment() {
    let shown = |unix_seconds| Date::from_unix_seconds(unix_seconds).rfc3339();
    assert_eq!(shown(0), "1970-01-01T00:00:00Z");
    assert_eq!(shown(951_868_799), "2000-02-29T23:59:59Z");
    assert_eq!(shown(1_795_442_530), "2026-11-23T14:02:10Z");
    assert_eq!(shown(1_798_761_599), "2026-12-31T23:59:59Z");
}

//! The report's words, in Japanese and English.

use std::fmt::Write as _;

use super::super::record::Trouble;
use super::super::run::Tick;
use super::super::schedule::Kind;
use super::{Percentiles, PhaseReport, Report};
use crate::bench::record::percentile;
use crate::token_api::{Language, Text};

/// A kind of operation.
pub(super) fn kind(kind: Kind) -> Text {
    match kind {
        Kind::Login => Text {
            en: "login",
            ja: "ログイン",
        },
        Kind::Validation => Text {
            en: "validation",
            ja: "コード検証",
        },
        Kind::Transfer => Text {
            en: "transfer",
            ja: "振込",
        },
        Kind::Statement => Text {
            en: "statement",
            ja: "明細照会",
        },
    }
}

/// Why an operation failed.
pub(super) fn trouble(trouble: Trouble) -> Text {
    match trouble {
        Trouble::Timeout => Text {
            en: "no answer in time",
            ja: "時間切れ",
        },
        Trouble::Connection => Text {
            en: "no connection",
            ja: "接続不可",
        },
        Trouble::Broken => Text {
            en: "connection broken",
            ja: "切断",
        },
        Trouble::Throttled => Text {
            en: "429",
            ja: "429",
        },
        Trouble::Fault => Text {
            en: "5xx",
            ja: "5xx",
        },
        Trouble::Refused => Text {
            en: "refused",
            ja: "拒否",
        },
        Trouble::SessionEnded => Text {
            en: "session over",
            ja: "セッション終了",
        },
        Trouble::Unexpected => Text {
            en: "another page",
            ja: "想定外のページ",
        },
        Trouble::NobodyFree => Text {
            en: "no customer or code free (prepare more)",
            ja: "顧客・コード不足(準備を増やす)",
        },
    }
}

/// ms with as many digits as tell something.
pub(super) fn ms(time: f64) -> String {
    if time < 10.0 {
        format!("{time:.1}")
    } else {
        format!("{time:.0}")
    }
}

/// The line of one second of a running load.
#[must_use]
pub fn live(tick: &Tick<'_>, language: Language) -> String {
    let say = |en, ja| Text { en, ja }.of(language);
    let live = tick.live;
    let at = |percent| percentile(&live.took, percent).map_or("–".into(), ms);
    let mut line = format!(
        "{:>5} s  {} {:>6}/s  {} {:>6}/s  p50 {:>6}  p99 {:>6}  p99.9 {:>6} ms  {} {:>5}",
        tick.second,
        say("offered", "予定"),
        live.offered,
        say("done", "完了"),
        live.took.len(),
        at(50.0),
        at(99.0),
        at(99.9),
        say("in flight", "処理中"),
        tick.in_flight,
    );
    let mut more = |word: &str, count: u64| {
        if count > 0 {
            let _ = write!(line, "  {word} {count}");
        }
    };
    more("503", live.turned_away);
    for (it, count) in &live.troubles {
        more(trouble(*it).of(language), *count);
    }
    more(say("late", "遅れ"), live.late);
    if let Some(server) = tick.server {
        let _ = write!(line, "  {} MiB", server.resident_kib / 1024);
    }
    line
}

fn line(name: &str, took: Option<&Percentiles>) -> String {
    // A letter of Japanese is two columns wide.
    let wide = |letter: char| if letter.is_ascii() { 1 } else { 2 };
    let pad = 20_usize.saturating_sub(name.chars().map(wide).sum());
    let name = format!("{name}{:pad$}", "");
    match took {
        None => format!("  {name} –"),
        Some(it) => format!(
            "  {name} {:>9}  p50 {:>7}  p90 {:>7}  p99 {:>7}  p99.9 {:>7}  max {:>7} ms",
            it.count,
            ms(it.p50),
            ms(it.p90),
            ms(it.p99),
            ms(it.p999),
            ms(it.longest)
        ),
    }
}

fn phase_lines(phase: &PhaseReport, late_ms: u64, language: Language) -> Vec<String> {
    let say = |en, ja| Text { en, ja }.of(language);
    let done = phase.done.map_or(0, |done| done.count);
    let mut lines = vec![format!(
        "{:.0}/s × {:.0} s: {} {}, {} {done}, 503 {}, {} {}, {} (>{late_ms} ms) {}",
        phase.phase.rate,
        phase.phase.seconds,
        say("offered", "予定"),
        phase.offered,
        say("done", "完了"),
        phase.turned_away.map_or(0, |it| it.count),
        say("failed", "失敗"),
        phase.failed,
        say("late", "遅れ"),
        phase.late,
    )];
    lines.push(line(say("all", "全体"), phase.done.as_ref()));
    for it in phase.kinds.iter().filter(|it| it.offered > 0) {
        let name = kind(it.kind).of(language);
        lines.push(line(name, it.done.as_ref()));
        if let Some(away) = &it.turned_away {
            lines.push(line(&format!("{name}: 503"), Some(away)));
        }
        for (why, count) in &it.troubles {
            lines.push(format!("    {}: {count}", trouble(*why).of(language)));
        }
    }
    if let Some(seconds) = phase.recovered_after {
        let word = say("recovered after", "回復まで");
        lines.push(format!("  {word} {seconds:.0} s"));
    }
    lines
}

/// The summary for the terminal.
#[must_use]
pub fn summary(report: &Report, language: Language) -> String {
    let say = |en, ja| Text { en, ja }.of(language);
    let mut lines = Vec::new();
    for step in &report.steps {
        lines.push(format!(
            "{:>8.0}/s  {} {:>5.1} %  p50 {:>7}  p99 {:>7} ms  {}",
            step.rate,
            say("done", "完了"),
            100.0 * step.done,
            ms(step.p50),
            ms(step.p99),
            if step.carried {
                say("carried", "可")
            } else {
                say("too much", "超過")
            },
        ));
    }
    if let Some(capacity) = report.capacity {
        lines.push(format!("{} {capacity:.0}/s", say("Capacity", "処理能力")));
    }
    for phase in &report.phases {
        lines.extend(phase_lines(phase, report.late_ms, language));
    }
    if let Some(server) = &report.server {
        let (first, last) = (server.memory.first(), server.memory.last());
        let mib = |it: Option<&(f64, f64)>| it.map_or(0.0, |(_, mib)| *mib);
        let growth = server
            .growth
            .map_or(String::new(), |growth| format!(" (×{growth:.2})"));
        lines.push(format!(
            "{} {:.0} → {:.0} MiB{growth}, {:.0} s CPU",
            say("Server", "サーバー"),
            mib(first),
            mib(last),
            server.cpu_seconds
        ));
    }
    if let Some(after) = &report.afterwards {
        lines.push(format!(
            "{}: {} {}, {} {}; {} {}; {} {} ({} {}); {} {}",
            say("Asked again", "事後確認"),
            after.validations,
            say("validations", "検証"),
            after.transfers,
            say("transfers", "振込"),
            say("missing", "消失"),
            after.missing,
            say("without an answer", "応答なし"),
            after.unknown,
            say("done all the same", "うち実行済み"),
            after.unknown_done,
            say("not asked", "未確認"),
            after.unasked,
        ));
    }
    if report.ended_early {
        lines.push(say("Ended early.", "途中で終了しました。").to_owned());
    }
    lines.join("\n")
}

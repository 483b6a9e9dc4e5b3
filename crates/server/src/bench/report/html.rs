//! The report as one HTML file that needs nothing else: light and dark, on a PC and on a phone.

use std::fmt::Write as _;

use super::plot::{Line, bars, escape, lines};
use super::words::{kind, ms, trouble};
use super::{Percentiles, PhaseReport, Report, SlotReport};
use crate::bench::schedule::Kind;
use crate::token_api::{Language, Text};

const STYLE: &str = include_str!("../../../assets/bench.css");

/// The page.
#[must_use]
pub fn html(report: &Report, language: Language) -> String {
    let page = Page { report, language };
    let tag = match language {
        Language::Japanese => "ja",
        Language::English => "en",
    };
    let title = page.say("Warifu: a day's load", "割符: 負荷試験の結果");
    format!(
        "<!doctype html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n<p class=\"sub\">{}</p>\n{}{}{}{}{}</main>\n</body>\n</html>\n",
        escape(&report.began_at),
        page.tiles(),
        page.search(),
        page.phases(),
        page.plots(),
        page.settings(),
    )
}

struct Page<'a> {
    report: &'a Report,
    language: Language,
}

impl Page<'_> {
    fn say(&self, en: &'static str, ja: &'static str) -> &'static str {
        Text { en, ja }.of(self.language)
    }

    /// The figures that are looked at first.
    fn tiles(&self) -> String {
        let phases = &self.report.phases;
        let sum = |of: fn(&PhaseReport) -> u64| phases.iter().map(of).sum::<u64>();
        let mut tiles = vec![
            (
                self.say("offered", "予定"),
                sum(|it| it.offered).to_string(),
            ),
            (
                self.say("done", "完了"),
                sum(|it| it.done.map_or(0, |it| it.count)).to_string(),
            ),
            (
                "503",
                sum(|it| it.turned_away.map_or(0, |it| it.count)).to_string(),
            ),
            (self.say("failed", "失敗"), sum(|it| it.failed).to_string()),
        ];
        if let [only] = phases.as_slice()
            && let Some(done) = only.done
        {
            tiles.push(("p99", format!("{} ms", ms(done.p99))));
            tiles.push(("p99.9", format!("{} ms", ms(done.p999))));
        }
        if let Some(capacity) = self.report.capacity {
            let capacity = format!("{capacity:.0}/s");
            tiles.push((self.say("capacity", "処理能力"), capacity));
        }
        if let Some(after) = &self.report.afterwards {
            let word = self.say("acknowledged and missing", "応答後の消失");
            tiles.push((word, after.missing.to_string()));
        }
        let mut text = String::from("<dl class=\"tiles\">");
        for (name, value) in tiles {
            let _ = write!(text, "<div><dt>{name}</dt><dd>{value}</dd></div>");
        }
        text.push_str("</dl>\n");
        text
    }

    /// The steps of a search for the capacity.
    fn search(&self) -> String {
        let steps = &self.report.steps;
        if steps.is_empty() {
            return String::new();
        }
        let head = [
            self.say("offered /s", "予定 /秒"),
            self.say("done", "完了"),
            "p50 ms",
            "p99 ms",
            self.say("carried", "判定"),
        ];
        let rows = steps.iter().map(|step| {
            vec![
                format!("{:.0}", step.rate),
                format!("{:.1} %", 100.0 * step.done),
                ms(step.p50),
                ms(step.p99),
                if step.carried {
                    self.say("yes", "可")
                } else {
                    self.say("no", "超過")
                }
                .to_owned(),
            ]
        });
        table(
            self.say("Search for the capacity", "処理能力の探索"),
            &head,
            rows,
        )
    }

    fn phases(&self) -> String {
        let mut text = String::new();
        for phase in &self.report.phases {
            text.push_str(&self.phase(phase));
        }
        text
    }

    fn phase(&self, phase: &PhaseReport) -> String {
        let head = [
            self.say("kind", "種類"),
            self.say("offered", "予定"),
            self.say("done", "完了"),
            "p50",
            "p90",
            "p99",
            "p99.9",
            self.say("longest", "最長"),
            "503",
            self.say("503: p99", "503の p99"),
            self.say("failed", "失敗"),
        ];
        let row = |name: &str,
                   offered: u64,
                   done: Option<Percentiles>,
                   away: Option<Percentiles>,
                   failed: String| {
            let time = |of: fn(&Percentiles) -> f64| {
                done.as_ref().map_or("–".to_owned(), |done| ms(of(done)))
            };
            vec![
                name.to_owned(),
                offered.to_string(),
                done.map_or(0, |done| done.count).to_string(),
                time(|it| it.p50),
                time(|it| it.p90),
                time(|it| it.p99),
                time(|it| it.p999),
                time(|it| it.longest),
                away.map_or(0, |away| away.count).to_string(),
                away.map_or("–".to_owned(), |away| ms(away.p99)),
                failed,
            ]
        };
        let mut rows = vec![row(
            self.say("all", "全体"),
            phase.offered,
            phase.done,
            phase.turned_away,
            phase.failed.to_string(),
        )];
        for it in phase.kinds.iter().filter(|it| it.offered > 0) {
            let why: Vec<_> = it
                .troubles
                .iter()
                .map(|(why, count)| format!("{} {count}", trouble(*why).of(self.language)))
                .collect();
            let failed = if why.is_empty() {
                "0".to_owned()
            } else {
                why.join(", ")
            };
            let name = kind(it.kind).of(self.language);
            rows.push(row(name, it.offered, it.done, it.turned_away, failed));
        }
        let mut caption = format!(
            "{:.0}/s × {:.0} s (ms; {} >{} ms: {})",
            phase.phase.rate,
            phase.phase.seconds,
            self.say("late", "送信遅れ"),
            self.report.late_ms,
            phase.late
        );
        if let Some(seconds) = phase.recovered_after {
            let word = self.say("recovered after", "回復まで");
            let _ = write!(caption, "; {word} {seconds:.0} s");
        }
        table(&caption, &head, rows.into_iter())
    }

    fn plots(&self) -> String {
        let slots = &self.report.slots;
        if slots.is_empty() {
            return String::new();
        }
        let line = |name: &str, of: &dyn Fn(&SlotReport) -> Option<f64>| Line {
            name: name.to_owned(),
            points: slots.iter().map(|slot| (slot.at, of(slot))).collect(),
        };
        let mut plots = Vec::new();
        let title = self.say(
            "Time to the answer, from when it was to begin",
            "応答時間(予定時刻から)",
        );
        let percentiles = [
            line("p50", &|slot| slot.p50),
            line("p99", &|slot| slot.p99),
            line("p99.9", &|slot| slot.p999),
        ];
        plots.push((title, lines(title, "ms", true, &percentiles)));
        let title = self.say("Offered and answered", "予定と応答");
        let rates = [
            line(self.say("offered", "予定"), &|slot| Some(slot.offered)),
            line(self.say("done", "完了"), &|slot| Some(slot.answered)),
            line("503", &|slot| Some(slot.turned_away)),
            line(self.say("failed", "失敗"), &|slot| Some(slot.failed)),
        ];
        plots.push((title, lines(title, "/s", false, &rates)));
        let title = self.say("p99 by kind", "種類別 p99");
        let kinds: Vec<_> = Kind::ALL
            .iter()
            .enumerate()
            .map(|(place, it)| {
                let of = |slot: &SlotReport| slot.kinds.get(place).copied().flatten();
                line(kind(*it).of(self.language), &of)
            })
            .collect();
        plots.push((title, lines(title, "ms", true, &kinds)));
        if let Some(server) = &self.report.server {
            let title = self.say("The server's resident memory", "サーバーの常駐メモリ");
            let memory = Line {
                name: "MiB".into(),
                points: server
                    .memory
                    .iter()
                    .map(|(at, mib)| (*at, Some(*mib)))
                    .collect(),
            };
            plots.push((title, lines(title, "MiB", false, &[memory])));
        }
        let mut text = String::from("<div class=\"plots\">");
        for (title, plot) in plots {
            let _ = write!(text, "<section><h2>{title}</h2>{plot}</section>");
        }
        for (number, of) in self.report.histograms.iter().enumerate() {
            let name = kind(of.kind).of(self.language);
            let title = format!(
                "{}: {name}",
                self.say("How many took how long", "応答時間の分布")
            );
            let plot = bars(&title, "ms", &of.bars, number);
            let _ = write!(text, "<section><h2>{title}</h2>{plot}</section>");
        }
        text.push_str("</div>\n");
        text
    }

    fn settings(&self) -> String {
        let (report, settings) = (self.report, &self.report.settings);
        let machine = &report.machine;
        let mut lines = vec![
            (self.say("Mix", "内訳"), settings.mix.clone()),
            (
                self.say("Arrivals", "到着"),
                format!("{} (seed {})", settings.arrivals, settings.seed),
            ),
            (
                self.say("Connections at most, to each", "接続数の上限(各)"),
                settings.connections.to_string(),
            ),
            (
                self.say("Customers who took part", "参加した顧客"),
                settings.customers.to_string(),
            ),
            (
                self.say("Sample credentials", "見本トークン"),
                settings.credentials.to_string(),
            ),
            (self.say("Bank", "銀行"), settings.bank.clone()),
            (
                self.say("Token service", "トークンサービス"),
                settings.tokens.clone(),
            ),
            (
                self.say("Machine of the load", "負荷をかけた機械"),
                format!(
                    "{}, {} cores, {} MiB, {}",
                    machine.processor, machine.cores, machine.memory_mib, machine.system
                ),
            ),
            (self.say("Seconds", "秒"), format!("{:.0}", report.seconds)),
            ("Warifu", report.version.to_owned()),
        ];
        lines.extend(self.seen());
        let mut text = format!(
            "<h2>{}</h2><dl class=\"settings\">",
            self.say("Settings", "条件")
        );
        for (name, value) in lines {
            let _ = write!(
                text,
                "<div><dt>{name}</dt><dd>{}</dd></div>",
                escape(&value)
            );
        }
        let _ = write!(
            text,
            "</dl>\n<h2>{}</h2><pre>{}</pre>\n",
            self.say("Command", "コマンド"),
            escape(&report.command)
        );
        text
    }
    /// What was seen of the server, and what was asked afterwards.
    fn seen(&self) -> Vec<(&'static str, String)> {
        let (report, mut lines) = (self.report, Vec::new());
        if let Some(server) = &report.server {
            let growth = server.growth.map_or("–".into(), |it| format!("{it:.2}"));
            lines.push((
                self.say(
                    "Server: CPU, memory's second half beside its first",
                    "サーバー: CPU、メモリ後半/前半",
                ),
                format!("{:.0} s, {growth}", server.cpu_seconds),
            ));
        }
        if let Some(after) = &report.afterwards {
            let text = format!(
                "{} + {}; {} {}; {} {} ({} {}); {} {}",
                after.validations,
                after.transfers,
                self.say("missing", "消失"),
                after.missing,
                self.say("without an answer", "応答なし"),
                after.unknown,
                self.say("done all the same", "うち実行済み"),
                after.unknown_done,
                self.say("not asked", "未確認"),
                after.unasked
            );
            let word = self.say(
                "Asked again: validations + transfers",
                "事後確認: 検証 + 振込",
            );
            lines.push((word, text));
        }
        lines
    }
}

fn table(caption: &str, head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut text = format!(
        "<h2>{0}</h2><div class=\"table\" role=\"region\" aria-label=\"{0}\" tabindex=\"0\"><table><thead><tr>",
        escape(caption)
    );
    for name in head {
        let _ = write!(text, "<th scope=\"col\">{}</th>", escape(name));
    }
    text.push_str("</tr></thead><tbody>");
    for row in rows {
        text.push_str("<tr>");
        for (place, cell) in row.iter().enumerate() {
            let tag = if place == 0 { "th scope=\"row\"" } else { "td" };
            let end = if place == 0 { "th" } else { "td" };
            let _ = write!(text, "<{tag}>{}</{end}>", escape(cell));
        }
        text.push_str("</tr>");
    }
    text.push_str("</tbody></table></div>\n");
    text
}

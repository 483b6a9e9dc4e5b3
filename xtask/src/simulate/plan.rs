//! What the plan takes for granted, and the sizes that follow.

/// What is assumed of customers; every figure is written out by the program, so that a bank can put in its own.
#[derive(Debug, Clone)]
pub(super) struct Assumptions {
    pub(super) customers: f64,
    /// Logins of a customer on a usual day, and on the busiest one (pay day at the end of a month).
    pub(super) logins_usual: f64,
    pub(super) logins_busy: f64,
    /// Transfers for each login.
    pub(super) transfers: f64,
    /// Codes checked for other relying parties, for each login at the bank.
    pub(super) others: f64,
    /// How much busier the busiest minutes are than their hour.
    pub(super) burst: f64,
    /// Share of a day in each of its hours.
    pub(super) hours: [f64; 24],
}

/// What was measured; docs/scale.md says by which command.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    /// Passwords that a core hashes in a second.
    pub(super) hashes: f64,
    /// Validations that one PostgreSQL on two cores takes in a second.
    pub(super) validations: f64,
    /// Bank operations other than logins that one PostgreSQL on two cores takes in a second.
    pub(super) orders: f64,
    /// Bytes of an audit row with its indexes, and of a credential.
    pub(super) audit_row: f64,
    pub(super) credential: f64,
}

/// What is built.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) assumed: Assumptions,
    pub(super) measured: Measured,
    /// Cells, half of them at home in each of two regions.
    pub(super) cells: usize,
    /// Slots that IDs are spread over; a slot moves as a whole.
    pub(super) slots: usize,
    /// Copies of `warifu` that a cell has in each region, and cores of one.
    pub(super) copies: f64,
    pub(super) cores: f64,
    /// How long a login may wait for its turn, seconds; beyond it is told 503.
    pub(super) longest_wait: f64,
    /// Seconds from the loss of a primary to the first commit of its successor.
    pub(super) fail_over: u32,
}

impl Default for Plan {
    fn default() -> Self {
        // Quiet at night, busiest over noon and in the evening.
        let weights = [
            1.0, 0.6, 0.4, 0.3, 0.4, 0.8, 2.0, 4.0, 5.5, 6.0, 6.5, 7.0, 9.5, 6.5, 6.0, 6.0, 6.0,
            6.0, 6.0, 6.0, 6.0, 5.0, 4.0, 2.5,
        ];
        let sum: f64 = weights.iter().sum();
        Self {
            assumed: Assumptions {
                customers: 100e6,
                logins_usual: 0.25,
                logins_busy: 0.6,
                transfers: 0.15,
                others: 1.0,
                burst: 1.5,
                hours: weights.map(|weight| weight / sum),
            },
            measured: Measured {
                hashes: 52.0,
                validations: 34_000.0,
                orders: 400.0,
                audit_row: 256.0,
                credential: 215.0,
            },
            cells: 16,
            slots: 4_096,
            copies: 3.0,
            cores: 4.0,
            longest_wait: 0.5,
            fail_over: 30,
        }
    }
}

impl Plan {
    /// Logins a second that all cells are asked for at a second of a busy (or usual) day.
    pub(super) fn logins(&self, busy: bool, second: u32) -> f64 {
        let assumed = &self.assumed;
        let each = if busy {
            assumed.logins_busy
        } else {
            assumed.logins_usual
        };
        let hour = usize::try_from(second / 3_600 % 24).unwrap_or_default();
        let share = assumed.hours.get(hour).copied().unwrap_or_default();
        // The first five minutes of each hour are the busiest.
        let burst = if second % 3_600 < 300 {
            assumed.burst
        } else {
            1.0
        };
        assumed.customers * each * share / 3_600.0 * burst
    }

    /// The most logins a second of a busy day.
    pub(super) fn peak(&self) -> f64 {
        (0..24)
            .map(|hour| self.logins(true, hour * 3_600))
            .fold(0.0, f64::max)
    }

    /// Codes checked for each login: its own, that of its transfers, those of other relying parties.
    pub(super) fn codes(&self) -> f64 {
        1.0 + self.assumed.transfers + self.assumed.others
    }

    /// Logins a second that so many copies carry.
    pub(super) fn hashing(&self, copies: f64) -> f64 {
        copies * self.cores * self.measured.hashes
    }

    /// Audit rows of a usual year, all cells.
    pub(super) fn rows_a_year(&self) -> f64 {
        365.0 * self.assumed.customers * self.assumed.logins_usual * self.codes()
    }

    /// The plan in lines.
    pub(super) fn lines(&self) -> Vec<(String, String)> {
        let cells = self.cells as f64;
        let peak = self.peak();
        let carried = self.hashing(self.copies) * cells;
        let rows = self.rows_a_year();
        let line = |name: &str, value: String| (name.to_owned(), value);
        vec![
            line("customers, one token each", grouped(self.assumed.customers)),
            line("cells; slots", format!("{}; {}", self.cells, self.slots)),
            line(
                "customers of a cell; of a slot",
                format!(
                    "{}; {}",
                    grouped(self.assumed.customers / cells),
                    grouped(self.assumed.customers / self.slots as f64)
                ),
            ),
            line("logins, busiest second of the busiest day", grouped(peak)),
            line("codes checked in that second", grouped(peak * self.codes())),
            line(
                "transfers in that second",
                grouped(peak * self.assumed.transfers),
            ),
            line(
                "cores that hash, each region for its own cells",
                grouped(self.copies * self.cores * cells / 2.0),
            ),
            line(
                "logins a second that all home copies carry",
                grouped(carried),
            ),
            line(
                "the same with a copy lost in every cell",
                grouped(self.hashing(self.copies - 1.0) * cells),
            ),
            line(
                "codes a second of a cell beside what one PostgreSQL took",
                format!(
                    "{} of {}",
                    grouped(peak * self.codes() / cells),
                    grouped(self.measured.validations)
                ),
            ),
            line(
                "orders a second of a cell (a cross-cell transfer is two)",
                format!(
                    "{} of {}",
                    grouped(2.0 * peak * self.assumed.transfers / cells),
                    grouped(self.measured.orders)
                ),
            ),
            line("audit rows a year, all cells", grouped(rows)),
            line("audit rows a year, one cell", grouped(rows / cells)),
            line(
                "trail a year, GB, all cells; one cell",
                format!(
                    "{}; {}",
                    grouped(rows * self.measured.audit_row / 1e9),
                    grouped(rows * self.measured.audit_row / 1e9 / cells)
                ),
            ),
            line(
                "credentials, GB, all cells",
                grouped(self.assumed.customers * self.measured.credential / 1e9),
            ),
        ]
    }
}

/// A whole number in groups of three.
pub(super) fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_whole_and_its_peak_is_at_noon() {
        let plan = Plan::default();
        let sum: f64 = plan.assumed.hours.iter().sum();
        assert!((sum - 1.0).abs() < 1e-9);
        assert!((plan.peak() - plan.logins(true, 12 * 3_600)).abs() < 1e-9);
        assert!(plan.logins(true, 12 * 3_600) > plan.logins(false, 12 * 3_600));
    }

    #[test]
    fn numbers_are_read_in_groups() {
        assert_eq!(grouped(12.4), "12");
        assert_eq!(grouped(123_456.0), "123,456");
        assert_eq!(grouped(1_234_567.0), "1,234,567");
    }
}

//! When an event loop hangs: arithmetic only, so that a unit test can tune it.
//!
//! A loop that waits and a loop that hangs look alike from outside: neither turns. So a loop that has not turned since
//! the last look is asked to: a byte on its channel wakes it. One that idles answers within a moment; one that does not
//! answer hangs, whatever in: JavaScript, a synchronous call, native code. The time begins when it is asked, which is
//! at most two looks after it began to hang, and never before, so a worker is not called stalled too early.

/// What one look at a worker came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Nothing to do.
    Quiet,
    /// It has not turned since the last look: ask it to.
    Ask,
    /// It has been asked so long ago that a replacement should get ready.
    Suspect,
    /// It hangs.
    Stalled,
    /// It was suspect or stalled, and turns again.
    Recovered,
}

/// Limits, in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A loop that has not answered for so long is stalled.
    pub stall: u64,
    /// So long before that it is suspect.
    pub lead: u64,
}

const MILLISECOND: u64 = 1_000_000;

impl Limits {
    /// Nanoseconds between two looks: often enough for what [`super::watchdog`] promises, rarely enough that idle
    /// workers, each of which is woken every other look, cost about a thousandth of a core.
    pub fn interval(&self) -> u64 {
        (self.stall / 40).clamp(5 * MILLISECOND, 50 * MILLISECOND)
    }
}

/// What is known of one worker.
#[derive(Debug, Default, Clone, Copy)]
pub struct Watch {
    heartbeat: u64,
    asked_at: Option<u64>,
    suspect: bool,
    stalled: bool,
}

impl Watch {
    /// Looks at a worker whose loop last turned at `heartbeat`.
    pub fn look(&mut self, now: u64, heartbeat: u64, limits: Limits) -> Look {
        if heartbeat != self.heartbeat {
            let back = self.suspect;
            *self = Self { heartbeat, ..Self::default() };
            return if back { Look::Recovered } else { Look::Quiet };
        }
        let Some(asked_at) = self.asked_at else {
            self.asked_at = Some(now);
            return Look::Ask;
        };
        let silent = now.saturating_sub(asked_at);
        if !self.stalled && silent >= limits.stall {
            (self.suspect, self.stalled) = (true, true);
            return Look::Stalled;
        }
        if !self.suspect && silent >= limits.stall.saturating_sub(limits.lead) {
            self.suspect = true;
            return Look::Suspect;
        }
        Look::Quiet
    }

    /// When to look again, if that is before the next regular look.
    pub fn due(&self, limits: Limits) -> Option<u64> {
        let asked_at = self.asked_at.filter(|_| !self.stalled)?;
        let silence = if self.suspect { limits.stall } else { limits.stall.saturating_sub(limits.lead) };
        Some(asked_at + silence)
    }

    /// The watchdog itself did not run for a while (a suspended machine, a stopped process), so nobody else may have:
    /// the time begins anew.
    pub fn pardon(&mut self, now: u64) {
        if self.asked_at.is_some() {
            self.asked_at = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { stall: 1000, lead: 200 };

    #[test]
    fn an_idle_loop_is_asked_and_answers() {
        let mut watch = Watch::default();
        assert_eq!(watch.look(0, 1, LIMITS), Look::Quiet);
        for round in 1..100 {
            assert_eq!(watch.look(round * 100, round, LIMITS), Look::Ask);
            assert_eq!(watch.look(round * 100 + 50, round + 1, LIMITS), Look::Quiet);
        }
    }

    #[test]
    fn a_busy_loop_is_never_asked() {
        let mut watch = Watch::default();
        for round in 1..100 {
            assert_eq!(watch.look(round * 100, round, LIMITS), Look::Quiet);
        }
    }

    #[test]
    fn one_that_does_not_answer_is_suspect_then_stalled_once() {
        let mut watch = Watch::default();
        watch.look(0, 1, LIMITS);
        assert_eq!(watch.look(50, 1, LIMITS), Look::Ask);
        assert_eq!(watch.due(LIMITS), Some(850));
        assert_eq!(watch.look(849, 1, LIMITS), Look::Quiet);
        assert_eq!(watch.look(850, 1, LIMITS), Look::Suspect);
        assert_eq!(watch.due(LIMITS), Some(1050));
        assert_eq!(watch.look(1049, 1, LIMITS), Look::Quiet);
        assert_eq!(watch.look(1050, 1, LIMITS), Look::Stalled);
        assert_eq!(watch.look(9999, 1, LIMITS), Look::Quiet);
        assert_eq!(watch.due(LIMITS), None);
        assert_eq!(watch.look(10_000, 2, LIMITS), Look::Recovered);
        assert_eq!(watch.look(10_050, 3, LIMITS), Look::Quiet);
    }

    #[test]
    fn a_late_look_goes_straight_to_stalled() {
        let mut watch = Watch::default();
        watch.look(0, 1, LIMITS);
        watch.look(50, 1, LIMITS);
        assert_eq!(watch.look(2000, 1, LIMITS), Look::Stalled);
    }

    #[test]
    fn nobody_is_blamed_for_a_machine_that_slept() {
        let mut watch = Watch::default();
        watch.look(0, 1, LIMITS);
        watch.look(50, 1, LIMITS);
        watch.pardon(5000);
        assert_eq!(watch.look(5001, 1, LIMITS), Look::Quiet);
        assert_eq!(watch.look(5800, 1, LIMITS), Look::Suspect);
    }

    #[test]
    fn looks_are_neither_rare_nor_frequent() {
        let interval = |stall| Limits { stall: stall * MILLISECOND, lead: 0 }.interval() / MILLISECOND;
        assert_eq!([1, 400, 1000, 30_000].map(interval), [5, 10, 25, 50]);
    }
}

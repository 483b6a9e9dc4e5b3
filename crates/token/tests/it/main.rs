//! The real `warifu-token` against a small token service written here: each test is one sentence
//! of the token's contract (rules T1 to T8).

#[cfg(test)]
mod first_start;
#[cfg(test)]
mod keys;
#[cfg(target_os = "linux")]
#[cfg(test)]
mod live_view;
#[cfg(test)]
mod offline;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod remove;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod test_service;
#[cfg(test)]
mod vault_file;

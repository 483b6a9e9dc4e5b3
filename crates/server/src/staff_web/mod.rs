//! The staff's pages, on a listener of their own (rules F1 to F5).

mod approvals;
mod contracts;
mod opening;
mod routes;
mod sign_in;
mod trail;

use axum::response::Response;
use warifu_bank::staff::Act;

pub use routes::{ROUTES, router};

use crate::bank::staff::Member;
use crate::bank_web::Failure;
use crate::bank_web::ask::{Ask, see};

/// The member who asks, if he may do this; else the way to the login page, or a refusal.
async fn member(ask: &Ask, act: Act) -> Result<Result<Member, Response>, Failure> {
    let Some(secret) = ask.staff_secret() else {
        return Ok(Err(see("/login")));
    };
    match ask.web.bank.member(&secret, &ask.caller.address).await? {
        Some(member) if member.role.may(act) => Ok(Ok(member)),
        Some(_) => Err(Failure::Forbidden),
        None => Ok(Err(see("/login"))),
    }
}

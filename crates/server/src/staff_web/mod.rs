//! x
use crate::bank_web::BankWeb;
use axum::Router;
use std::sync::Arc;
/// x
pub fn router(web: Arc<BankWeb>) -> Router {
    crate::bank_web::router(web)
}

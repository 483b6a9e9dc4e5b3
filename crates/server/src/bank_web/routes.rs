use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};

use super::confirm;
use super::{BankWeb, failure, layer, profile, sign_in, statement, top, transfer, wizard};

type Route = (&'static str, fn() -> MethodRouter<Arc<BankWeb>>);

/// Every route of the customer's pages: path and who answers. The access test goes through this very list.
pub const ROUTES: &[Route] = &[
    ("/", || get(sign_in::page)),
    ("/login", || post(sign_in::login)),
    ("/login/code", || {
        get(sign_in::code_page).post(sign_in::code)
    }),
    ("/login/password", || {
        get(sign_in::password_page).post(sign_in::password)
    }),
    ("/logout", || post(sign_in::logout)),
    ("/session", || get(sign_in::keep)),
    ("/language/{language}", || get(sign_in::choose_language)),
    ("/assets/{name}", || get(sign_in::asset)),
    ("/guide", || get(wizard::guide)),
    ("/guide/token", || get(wizard::open_token)),
    ("/guide/elsewhere", || post(wizard::token_elsewhere)),
    ("/registration", || {
        get(wizard::registration).post(wizard::enter_registration)
    }),
    ("/registration/token", || {
        get(wizard::registration_token).post(wizard::register)
    }),
    ("/registration/result/{key}", || {
        get(wizard::registration_result)
    }),
    ("/registration/change", || {
        get(wizard::registration_change).post(wizard::registration_change_begin)
    }),
    ("/registration/change/{begun}", || {
        get(wizard::registration_change_new).post(wizard::registration_change_token)
    }),
    ("/token-change", || {
        get(wizard::token_change).post(wizard::enter_token_change)
    }),
    ("/token-change/old", || {
        get(wizard::token_change_old).post(wizard::token_change_begin)
    }),
    ("/token-change/new/{begun}", || {
        get(wizard::token_change_new).post(wizard::change_token)
    }),
    ("/token-change/result/{key}", || {
        get(wizard::token_change_result)
    }),
    ("/stop-use", || {
        get(wizard::stop_use).post(wizard::enter_stop_use)
    }),
    ("/stop-use/confirm", || {
        get(wizard::stop_use_page).post(wizard::confirm_stop_use)
    }),
    ("/stop-use/result/{key}", || get(wizard::stop_use_result)),
    ("/loss", || get(wizard::loss).post(wizard::enter_loss)),
    ("/loss/confirm", || {
        get(wizard::loss_page).post(wizard::confirm_loss)
    }),
    ("/loss/result/{key}", || get(wizard::loss_result)),
    ("/top", || get(top::page)),
    ("/accounts/{account}", || get(statement::page)),
    ("/accounts/{account}/csv", || get(statement::csv)),
    ("/transfer", || get(transfer::page).post(transfer::order)),
    ("/transfers", || get(transfer::list)),
    ("/transfers/cancel", || post(transfer::cancel)),
    ("/internal-transfer", || {
        get(transfer::internal_page).post(transfer::internal)
    }),
    ("/limit", || get(transfer::limit_page).post(transfer::limit)),
    ("/payees", || get(transfer::payees)),
    ("/payees/remove", || post(transfer::remove_payee)),
    ("/banks", || get(transfer::banks)),
    ("/confirm/{key}", || {
        get(confirm::page).post(confirm::confirm)
    }),
    ("/result/{key}", || get(confirm::result)),
    ("/profile", || get(profile::home)),
    ("/profile/login-setting", || {
        get(profile::login_setting).post(profile::set_login)
    }),
    ("/profile/password", || {
        get(profile::password).post(profile::change_password)
    }),
    ("/profile/mail", || {
        get(profile::mail).post(profile::change_mail)
    }),
    ("/profile/history", || get(profile::history)),
    ("/profile/sessions", || {
        get(profile::sessions).post(profile::end_session)
    }),
    ("/profile/emergency-stop", || {
        get(profile::emergency).post(profile::stop_service)
    }),
];

/// The customer's pages.
pub fn router(web: Arc<BankWeb>) -> Router {
    ROUTES
        .iter()
        .fold(Router::new(), |router, (path, handlers)| {
            router.route(path, handlers())
        })
        .fallback(failure::not_found)
        .method_not_allowed_fallback(failure::method)
        .layer(from_fn_with_state(Arc::clone(&web), layer::admit))
        .layer(from_fn_with_state(Arc::clone(&web), layer::around))
        .with_state(web)
}

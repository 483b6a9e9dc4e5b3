//! What every page stands on: texts in two languages, forms, cookies, guards against other sites, and one template.
//!
//! A page is built from [`page::Block`]s and rendered by `templates/web/page.html`, so that every page has the same look,
//! the same words for the same thing, and markup that was tested once. A handler is four steps: parse the
//! [`form::Form`], call the bank, match what it says, and build the page.

pub(crate) mod asset;
pub mod cookies;
pub mod form;
pub mod guard;
pub mod page;
pub(crate) mod place;
pub(crate) mod qr;
pub mod texts;

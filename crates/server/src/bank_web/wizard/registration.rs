//! ワンタイムパスワードの利用登録 (rule B2).

use super::*;

/// `GET /registration`
pub(in crate::bank_web) async fn registration(ask: Ask) -> Result<Response, Failure> {
    Ok(ask.page(&first_page(&ask, &REGISTRATION, "", &[])))
}

/// `POST /registration`
pub(in crate::bank_web) async fn enter_registration(posted: Posted) -> Result<Response, Failure> {
    enter(posted, &REGISTRATION, "/registration/token").await
}

fn registration_step<'a>(ask: &Ask, form: &Form, errors: &[(String, String)]) -> Step<'a> {
    let mut blocks = vec![Block::Text(ask.say("registration-token-text"))];
    blocks.extend(token_here(ask));
    Step {
        words: &REGISTRATION,
        at: 1,
        action: "/registration/token".into(),
        blocks,
        fields: vec![token_field(ask, form, errors)],
        asks_code: true,
        waits: false,
        submit: "do-register",
        danger: false,
    }
}

/// `GET /registration/token`: where a token is in use already, on to its change (B2).
pub(in crate::bank_web) async fn registration_token(ask: Ask) -> Result<Response, Failure> {
    let visitor = match ask
        .in_wizard(Wizard::Registration, REGISTRATION.start)
        .await?
    {
        Ok(visitor) => visitor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let overview = ask.web.bank.overview(&visitor).await?;
    let standing = overview.map(|overview| overview.stored.contract.token);
    match standing {
        Some(warifu_bank::contract::TokenStanding::InUse { .. }) => {
            return Ok(see("/registration/change"));
        }
        Some(warifu_bank::contract::TokenStanding::AwaitingRelease { .. }) => {
            return Ok(stopped(&ask, &REGISTRATION, &Refusal::NeedsRelease));
        }
        _ => {}
    }
    let step = registration_step(&ask, &Form::default(), &[]);
    show(&ask, &visitor, OrderKind::Registration, None, &step).await
}

/// `POST /registration/token`
pub(in crate::bank_web) async fn register(posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let visitor = match ask
        .in_wizard(Wizard::Registration, REGISTRATION.start)
        .await?
    {
        Ok(visitor) => visitor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let token = match typed_token(&ask, &form) {
        Ok(token) => token,
        Err(error) => return again(&ask, &visitor, &form, error, registration_step).await,
    };
    let step = registration_step(&ask, &form, &[]);
    let order = Some(Order::Registration { token });
    Ok(
        match confirm(&ask, &visitor, OrderKind::Registration, &form, order, &step).await? {
            Ok(key) => see(&format!("/registration/result/{key}")),
            Err(response) => response,
        },
    )
}

/// `GET /registration/result/{key}`
pub(in crate::bank_web) async fn registration_result(
    ask: Ask,
    Path(key): Path<String>,
) -> Result<Response, Failure> {
    result(ask, &REGISTRATION, &key, |ask, order| match order {
        Order::Registration { token } => {
            Some((ask.say("done-registration"), token_line(ask, token)))
        }
        Order::TokenChange { token, .. } => {
            Some((ask.say("done-token-change"), token_line(ask, token)))
        }
        _ => None,
    })
    .await
}

//! トークンの変更 (rule B6), also where the registration leads into it (B2).

use super::*;

/// `GET /registration/change`: the same session goes on as a change of token.
pub(in crate::bank_web) async fn registration_change(ask: Ask) -> Result<Response, Failure> {
    change_begin_page(ask, &REGISTRATION_CHANGE).await
}

const REGISTRATION_CHANGE: Words = Words {
    wizard: Wizard::Registration,
    start: "/registration",
    title: "title-token-change",
    text: "token-change-text",
    steps: TOKEN_CHANGE.steps,
};

/// `GET /token-change`
pub(in crate::bank_web) async fn token_change(ask: Ask) -> Result<Response, Failure> {
    Ok(ask.page(&first_page(&ask, &TOKEN_CHANGE, "", &[])))
}

/// `POST /token-change`
pub(in crate::bank_web) async fn enter_token_change(posted: Posted) -> Result<Response, Failure> {
    enter(posted, &TOKEN_CHANGE, "/token-change/old").await
}

/// `GET /token-change/old`
pub(in crate::bank_web) async fn token_change_old(ask: Ask) -> Result<Response, Failure> {
    change_begin_page(ask, &TOKEN_CHANGE).await
}

fn change_begin_step<'a>(ask: &Ask, words: &'a Words) -> Step<'a> {
    Step {
        words,
        at: 1,
        action: match words.wizard {
            Wizard::Registration => "/registration/change".into(),
            _ => "/token-change/old".into(),
        },
        blocks: vec![
            Block::Text(ask.say("token-change-old-text")),
            Block::Steps(vec![
                ask.say("token-change-first"),
                ask.say("token-change-keep"),
                ask.say("token-change-dead"),
            ]),
        ],
        fields: Vec::new(),
        asks_code: true,
        waits: true,
        submit: "do-next",
        danger: false,
    }
}

async fn change_begin_page(ask: Ask, words: &Words) -> Result<Response, Failure> {
    let visitor = match ask.in_wizard(words.wizard, words.start).await? {
        Ok(visitor) => visitor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let step = change_begin_step(&ask, words);
    show(
        &ask,
        &visitor,
        OrderKind::TokenChangeBegin,
        Some(Order::TokenChangeBegin),
        &step,
    )
    .await
}

async fn change_begin(posted: Posted, words: &Words) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let visitor = match ask.in_wizard(words.wizard, words.start).await? {
        Ok(visitor) => visitor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let step = change_begin_step(&ask, words);
    Ok(
        match confirm(
            &ask,
            &visitor,
            OrderKind::TokenChangeBegin,
            &form,
            None,
            &step,
        )
        .await?
        {
            Ok(key) if words.wizard == Wizard::Registration => {
                see(&format!("/registration/change/{key}"))
            }
            Ok(key) => see(&format!("/token-change/new/{key}")),
            Err(response) => response,
        },
    )
}

/// `POST /token-change/old`
pub(in crate::bank_web) async fn token_change_begin(posted: Posted) -> Result<Response, Failure> {
    change_begin(posted, &TOKEN_CHANGE).await
}

/// `POST /registration/change`
pub(in crate::bank_web) async fn registration_change_begin(
    posted: Posted,
) -> Result<Response, Failure> {
    change_begin(posted, &REGISTRATION_CHANGE).await
}

fn change_step<'a>(
    ask: &Ask,
    words: &'a Words,
    form: &Form,
    begun: &str,
    errors: &[(String, String)],
) -> Step<'a> {
    let action = if words.wizard == Wizard::Registration {
        format!("/registration/change/{begun}")
    } else {
        format!("/token-change/new/{begun}")
    };
    Step {
        words,
        at: 2,
        action,
        blocks: vec![Block::Text(ask.say("token-change-new-text"))],
        fields: vec![token_field(ask, form, errors)],
        asks_code: true,
        waits: false,
        submit: "do-register",
        danger: false,
    }
}

async fn change_page(ask: Ask, words: &Words, begun: &str) -> Result<Response, Failure> {
    let visitor = match ask.in_wizard(words.wizard, words.start).await? {
        Ok(visitor) => visitor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let step = change_step(&ask, words, &Form::default(), begun, &[]);
    show(&ask, &visitor, OrderKind::TokenChange, None, &step).await
}

async fn change(posted: Posted, words: &Words, begun: &str) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let visitor = match ask.in_wizard(words.wizard, words.start).await? {
        Ok(visitor) => visitor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let token = match typed_token(&ask, &form) {
        Ok(token) => token,
        Err(error) => {
            let again_step = |ask: &Ask, form: &Form, errors: &[(String, String)]| {
                change_step(ask, words, form, begun, errors)
            };
            return again(&ask, &visitor, &form, error, again_step).await;
        }
    };
    let step = change_step(&ask, words, &form, begun, &[]);
    let order = Some(Order::TokenChange {
        token,
        begun: begun.to_owned(),
    });
    Ok(
        match confirm(&ask, &visitor, OrderKind::TokenChange, &form, order, &step).await? {
            Ok(key) => see(&format!("{}/result/{key}", words.start)),
            Err(response) => response,
        },
    )
}

/// `GET /token-change/new/{begun}`
pub(in crate::bank_web) async fn token_change_new(
    ask: Ask,
    Path(begun): Path<String>,
) -> Result<Response, Failure> {
    change_page(ask, &TOKEN_CHANGE, &begun).await
}

/// `POST /token-change/new/{begun}`
pub(in crate::bank_web) async fn change_token(
    Path(begun): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    change(posted, &TOKEN_CHANGE, &begun).await
}

/// `GET /registration/change/{begun}`
pub(in crate::bank_web) async fn registration_change_new(
    ask: Ask,
    Path(begun): Path<String>,
) -> Result<Response, Failure> {
    change_page(ask, &REGISTRATION_CHANGE, &begun).await
}

/// `POST /registration/change/{begun}`
pub(in crate::bank_web) async fn registration_change_token(
    Path(begun): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    change(posted, &REGISTRATION_CHANGE, &begun).await
}

/// `GET /token-change/result/{key}`
pub(in crate::bank_web) async fn token_change_result(
    ask: Ask,
    Path(key): Path<String>,
) -> Result<Response, Failure> {
    result(ask, &TOKEN_CHANGE, &key, |ask, order| match order {
        Order::TokenChange { token, .. } => {
            Some((ask.say("done-token-change"), token_line(ask, token)))
        }
        _ => None,
    })
    .await
}

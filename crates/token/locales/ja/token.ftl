# 割符トークン（コマンドライン）の文言。鍵は en/token.ftl と同じものを同じ順に。

# 初回起動（T1）
welcome-title = Warifu 割符 ― ソフトウェアトークンへようこそ
welcome-done = このトークンはトークンサービスに登録されました。次のトークンIDは、再起動しても変わりません。
welcome-next = 銀行の「ワンタイムパスワードの利用登録」画面で、このトークンIDとセキュリティコード（6桁）を入力してください。
welcome-ok = [ OK ] Enterキーで次へ
waiting-for-lock = 別の warifu-token が登録中です。終わるまで待ちます。
key-store-fallback = この環境ではOSのキーストアを使えません。代わりにパスフレーズで保護します。
hint-show = コードの表示: warifu-token show

# トークンの表示（T2）
id-line = トークンID: { $id }
code-line = セキュリティコード: { $code }
seconds-line = 残り: { $seconds } 秒
next-line = 次のコード: { $code }
view-title = Warifu 割符 ソフトウェアトークン
view-id = トークンID
view-code = セキュリティコード
view-seconds = 残り { $seconds } 秒
view-next = 次のコード  { $code }
view-keys = c コードをコピー　i IDをコピー　q 終了
link-asking = サービスに時刻を確認しています…
link-online = 時刻はサービスと確認済みです。
link-offline = オフラインです（最終確認 { $ago }）。コードはこのまま使えます。
advice = 安全のため、トークンはスマートフォンに、インターネットバンキングはパソコンに、と別々の端末でのご利用をお勧めします。

# 時計（T6）
clock-slow = この端末の時計は { $seconds } 秒遅れています。コードは補正済みなのでそのまま使えます。時計を合わせてください。
clock-fast = この端末の時計は { $seconds } 秒進んでいます。コードは補正済みなのでそのまま使えます。時計を合わせてください。
clock-set-back = 最後にサービスと確認した後で、この端末の時計が戻されています。時計を合わせるか、ネットワークに接続して warifu-token doctor を実行してください。それまでコードは正しくない可能性があります。
age-now = たった今
age-minutes = { $count } 分前
age-hours = { $count } 時間前
age-days = { $count } 日前

# コピー
copied-code = セキュリティコードをコピーしました。30秒後にクリップボードから消去します。
copied-id = トークンIDをコピーしました。30秒後にクリップボードから消去します。
copied-wiped = クリップボードから消去しました。

# パスフレーズ
passphrase-prompt = パスフレーズ:
passphrase-new-prompt = 新しいパスフレーズ（8文字以上）:
passphrase-again-prompt = もう一度入力:

# 診断
doctor-version = バージョン: { $version }
doctor-vault = 保管ファイル: { $path }
doctor-permissions = ファイルの権限: { $mode }（本人のみ）
doctor-permissions-loose = 要対応 ― ファイルの権限: { $mode }。他の利用者も読めます。chmod 600 を実行してください。
doctor-key-os = 鍵の保管先: OSのキーストア（{ $store }）
doctor-key-passphrase = 鍵の保管先: パスフレーズ（Argon2id、{ $mebibytes } MiB、{ $passes } 回、{ $lanes } 並列）
doctor-contact = サービスとの最終確認: { $ago }（{ $at }）
doctor-offset = 保存済みの時計の差（サービス − 端末）: { $seconds } 秒
doctor-service = サービス: { $address } ― 応答あり、往復 { $milliseconds } ミリ秒
doctor-service-away = サービス: { $address } ― { $reason } コードはオフラインでも使えます。
doctor-clock-right = 時計: 正常
doctor-fault = 要対応: { $what }

# 削除（T8）
remove-advice = 削除すると、このトークンのコードは二度と表示できません。銀行に登録済みの場合は、先に銀行の画面で「トークンの変更」または「ワンタイムパスワードの利用停止」を行ってください。入れ直すと別のトークンIDになります。
remove-question = 削除しますか。削除する場合は yes と入力:
remove-not-confirmed = 削除しませんでした。
remove-key-left = OSのキーストアの項目 { $entry } は削除できませんでした。{ $reason }残っても、この鍵で開けるものはもうありません。
remove-done = トークンを削除しました。

# エラー
error-no-address = 初回起動です。トークンサービスのアドレスを指定してください。例: warifu-token https://token.example.com
error-address-malformed = アドレスの形式が正しくありません。例: https://token.example.com
error-address-not-https = http:// はこの端末自身（localhost）に対してのみ使えます。https:// を指定してください。
error-other-service = このトークンは { $registered } に登録済みです。{ $given } には切り替えません（何も変更していません）。別のサービスで使うには、--vault で別の保管ファイルを指定するか、先に warifu-token remove を実行してください。
error-no-home = 保管ファイルの場所が決められません。--vault で指定してください。
error-already-here = すでにトークンがあります。
error-unreachable = トークンサービスに接続できません（{ $reason }）。
error-refused = トークンサービスの回答: { $reason }
error-status = トークンサービスから予期しない応答がありました（HTTP { $status }）。アドレスを確認してください。
error-not-understood = 応答したのはトークンサービスではないようです。アドレスを確認してください。
error-weak-service-key = トークンサービスから受け取った鍵が安全でないため、登録を中止しました。
error-other-codes = このトークンサービスが求める種類のコードには対応していません。新しい版の warifu-token をお使いください。
error-void = トークン { $id } は登録されましたが、保存できませんでした。このIDは無効です。銀行には登録しないでください。原因: { $reason }
error-no-entropy = 乱数を得られませんでした。何も登録していません。
error-vault-io = { $path }: { $reason }
error-vault-missing = ここにはまだトークンがありません。
error-vault-damaged = 保管ファイルが壊れているか、書き換えられています。控えがあれば戻してください。なければ warifu-token remove で削除し、新しいトークンを登録してください（銀行では「トークンの紛失・盗難」の手続きが必要です）。
error-vault-future = 保管ファイルは新しい版の warifu-token で作られています（形式 { $version }）。新しい版をお使いください。
error-wrong-passphrase = パスフレーズが違います。
error-passphrase-needed = 保管ファイルの保護にパスフレーズが必要です。端末で実行するか、--passphrase-file を指定してください。
error-passphrase-short = パスフレーズは { $characters } 文字以上にしてください。
error-passphrases-differ = 2回の入力が一致しません。
error-passphrase-file = パスフレーズのファイルを読めません: { $reason }
error-key-store-unavailable = OSのキーストアがありません（{ $reason }）。
error-key-store-refused = OSのキーストアに拒否されました（{ $reason }）。
error-key-store-gone = OSのキーストアに、この保管ファイルの鍵がありません。
error-key-store-garbled = OSのキーストアから正しい鍵が返りませんでした。
error-clock-before-1970 = この端末の時計は1970年より前を指しています。時計を合わせてください。
error-clipboard = クリップボードを使えません: { $reason }
error-removed-meanwhile = このトークンは別の画面で削除または入れ替えられました。
error-terminal = 入出力のエラー: { $reason }

# ヘルプ
help-about = インターネットバンキング用ソフトウェアトークン（ワンタイムパスワード）
help-after = 初回は SERVICE_URL を指定して起動すると、トークンが登録されます。2回目以降は指定不要で、ネットワークも要りません。
help-service-url = トークンサービスのアドレス（初回起動時のみ）
help-key-store = 新しい保管ファイルの鍵の保管先: os（OSのキーストア）または passphrase（パスフレーズ）。既定は os。使えないとき、または --passphrase-file を指定したときは passphrase
help-vault = 保管ファイル
help-passphrase-file = パスフレーズを書いたファイル
help-lang = 表示言語
help-help = ヘルプを表示
help-version = バージョンを表示
help-show-about = トークンIDとコードを一度だけ表示
help-show-json = JSON で出力
help-copy-about = コード（または ID）をクリップボードにコピーし、30秒後に消去
help-copy-what = コピーするもの
help-doctor-about = 保管ファイル・鍵・時計・サービスを診断
help-remove-about = トークンを削除
help-remove-yes = 確認せずに削除

//! Japanese of the findings: signs, other explanations, limits, coverage.

super::catalogue! {
    // What is missing from the evidence.
    "No message tracking log of Exchange is in evidence: what became of messages cannot be told, and mail sent from Outlook, web mail or phones is not seen at all." =>
        "Exchange のメッセージ追跡ログが証跡にない。配送結果は判定できず、Outlook・Web メール・携帯端末から送信されたメールは一切確認できない。",
    "No SMTP receive protocol log of Exchange is in evidence: logins for sending and their failures cannot be told. Exchange does not write it for its client connectors (ports 587 and 465) unless told to." =>
        "Exchange の SMTP 受信プロトコルログが証跡にない。送信のためのログインとその失敗は判定できない。クライアント用コネクタ（ポート 587、465）では、設定しない限り Exchange はこのログを記録しない。",
    "No SMTP receive protocol log of Exchange's front end is in evidence: failed logins for sending cannot be told." =>
        "Exchange のフロントエンドの SMTP 受信プロトコルログが証跡にない。送信用ログインの失敗は判定できない。",
    "No SMTP receive protocol log of Exchange's hub transport is in evidence: attempts that were refused after the login are not seen, so sent and blocked messages are at least as many as counted." =>
        "Exchange のハブトランスポートの SMTP 受信プロトコルログが証跡にない。ログイン後に拒否された送信の試みは確認できないため、送信数と遮断数は下限値である。",
    "No message tracking log of Exchange's transport service (MSGTRK) is in evidence: what became of messages to other organisations, what was blocked, and mail sent from Outlook, web mail or phones cannot be told." =>
        "Exchange のトランスポートサービスのメッセージ追跡ログ（MSGTRK）が証跡にない。他組織宛てのメールの行方、遮断されたメール、Outlook・Web メール・携帯端末から送信されたメールは判定できない。",
    "No message tracking log of mailbox submission (MSGTRKMS) is in evidence: by what program, and from where, mail was sent out of mailboxes cannot be told." =>
        "メールボックス送信のメッセージ追跡ログ（MSGTRKMS）が証跡にない。メールボックスからの送信に使われたプログラムと送信元は判定できない。",
    "No message tracking log of mailbox delivery (MSGTRKMD) is in evidence: whether messages and notices reached the organisation's own mailboxes cannot be told." =>
        "メールボックス配信のメッセージ追跡ログ（MSGTRKMD）が証跡にない。メールや通知が組織内のメールボックスに届いたかは判定できない。",
    "SMTP receive log of the front end" => "フロントエンドの SMTP 受信ログ",
    "SMTP receive log of the hub transport" => "ハブトランスポートの SMTP 受信ログ",
    "message tracking log of the transport service" => "トランスポートサービスのメッセージ追跡ログ",
    "message tracking log of mailbox submission" => "メールボックス送信のメッセージ追跡ログ",
    "message tracking log of mailbox delivery" => "メールボックス配信のメッセージ追跡ログ",
    "The {log} of {host} speaks from {from} to {to} only, its other logs from {first} to {last}: what that log alone tells is unknown for the rest." =>
        "{host} の{log}は {from} から {to} までしかない。ほかのログは {first} から {last} までであり、それ以外の期間についてこのログだけが示す内容は不明である。",
    "The receive log of the hub transport does not tell of sessions in which the attackers sent ({hosts}, {from} to {to}): attempts that were refused in them are in no log, so messages, recipients and what was blocked are at least as many as counted." =>
        "攻撃者が送信したセッションの一部がハブトランスポートの受信ログにない（{hosts}、{from} から {to} まで）。その中で拒否された試みはどのログにもないため、メール数・宛先数・遮断数は下限値である。",
    "No message tracking log of the transport service of Exchange is in evidence: mail sent from Outlook, web mail or phones is not seen, so messages and recipients are at least as many as counted." =>
        "Exchange のトランスポートサービスのメッセージ追跡ログが証跡にない。Outlook・Web メール・携帯端末からの送信は確認できないため、メール数と宛先数は下限値である。",
    "No message tracking log tells what became of {n} message(s) of the attackers that their sessions show to have been taken in: they count as unknown, so each other outcome, what was blocked and the returned notices are at least as many as counted." =>
        "攻撃者のセッションで受け付けられた {n} 通のメールの行方は、どのメッセージ追跡ログにもない。これらは不明として数えているため、ほかの各結果、遮断数、返送された通知の数は下限値である。",
    "No log gives an address to {n} message(s) that these accounts sent while the attackers were in them: they are counted as the owners', and some may be the attackers'." =>
        "攻撃者の侵入中にこれらのアカウントから送られた {n} 通のメールには、どのログにもアドレスの記録がない。利用者本人のものとして数えているが、攻撃者のものが含まれうる。",
    "No log gives an address to {n} message(s) that these accounts sent while the attackers were in them, or within a day after: they are counted as the owners', and some may be the attackers'." =>
        "攻撃者の侵入中、またはその後 1 日以内にこれらのアカウントから送られた {n} 通のメールには、どのログにもアドレスの記録がない。利用者本人のものとして数えているが、攻撃者のものが含まれうる。",
    "No log of {kinds} is in evidence: the attackers may have got in earlier than the first login found, and into more accounts, and failed logins and sessions of that kind are in no figure." =>
        "{kinds}のログが証跡にない。攻撃者は判明した最初のログインより前に、また、ほかのアカウントにも侵入した可能性がある。その種のログイン失敗とセッションはどの数値にも含まれない。",
    "The provider stopped recording access to a mailbox of these accounts for up to 24 hours ({n} record(s) say so): at least as many items were read as counted." =>
        "事業者がこれらのアカウントのメールボックスへのアクセスの記録を最長 24 時間停止している（該当記録 {n} 件）。読まれた件数は少なくとも計数値である。",
    "logins for sending mail at every server and time" => "全サーバー・全期間の送信用ログイン",
    "No IMAP4 or POP3 protocol log of Exchange is in evidence: whether mailboxes were read that way cannot be told. Exchange does not write them unless told to." =>
        "Exchange の IMAP4・POP3 プロトコルログが証跡にない。これらによるメールボックスの閲覧の有無は判定できない。設定しない限り Exchange はこのログを記録しない。",
    "No message trace of Microsoft 365 is in evidence: what the tenant sent by SMTP, and what became of any of its mail, cannot be told." =>
        "Microsoft 365 のメッセージ追跡が証跡にない。テナントから SMTP で送信されたメールと、メールの行方は分からない。",
    "No sign-in log of Microsoft 365 is in evidence: what its logins were for cannot be told, and failed ones may be missing." =>
        "Microsoft 365 のサインインログが証跡にない。ログインの用途は分からず、失敗が欠けている可能性がある。",
    "No audit log of Microsoft 365 is in evidence: what was read in its mailboxes, and which settings were changed, cannot be told." =>
        "Microsoft 365 の監査ログが証跡にない。メールボックスで何が読まれ、どの設定が変更されたかは分からない。",
    "Neither an HttpProxy log of Exchange nor a log of its web server is in evidence: whether mailboxes were used by web mail, phones, EWS or Outlook cannot be told." =>
        "Exchange の HttpProxy ログも Web サーバーのログも証跡にない。Web メール・携帯端末・EWS・Outlook によるメールボックスの利用の有無は判定できない。",
    "{n} login(s) are known by a message alone that was sent after them: the login itself is in no log, and may have been earlier." =>
        "{n} 件のログインは、その後に送信されたメールからのみ判明した。ログイン自体はどのログにもなく、実際の時刻はより早い可能性がある。",
    "{n} login name(s) are written DOMAIN\\user and are not joined with the addresses of the same people; give default_domain in the configuration, and aliases where name and address differ." =>
        "{n} 件のログイン名は DOMAIN\\user の形で記録されており、同一人物のメールアドレスと統合していない。設定で default_domain を、名前とアドレスが異なる場合は aliases を指定すること。",
    "{n} message(s) came from authenticated clients whose user no log in evidence names." =>
        "{n} 通のメールは認証済みクライアントから送信されたが、その利用者名は証跡のどのログにもない。",
    "No line names the account {given} that was asked for; is it spelt as in the logs?" =>
        "指定されたアカウント {given} はどの行にも現れない。ログ中の表記と一致しているか確認すること。",
    // Accounts.
    "upper and lower case are one" => "大文字と小文字を区別しない",
    "declared in the configuration" => "設定での宣言",
    "domain completed or stripped" => "ドメインの補完または除去",
    // Coverage.
    "no line for {n} hours" => "{n} 時間にわたり記録なし",
    "no line for {n} hours in which this host usually writes" => "このホストが通常記録を残す {n} 時間にわたり記録なし",
    "the logger dropped lines ({place})" => "ロガーが行を破棄（{place}）",
    "the logger dropped {n} lines ({place})" => "ロガーが {n} 行を破棄（{place}）",
    // Exports and tables.
    "a page names a following one, which may not have been collected: there may be more records" =>
        "続きのページを示す記載があり、それが収集されていない可能性がある。記録はほかにもあり得る",
    "the search failed for {n} record(s): what they would have said is missing" => "{n} 件の記録で検索が失敗。その内容は欠落している",
    "an export tool lost the result of {n} sign-in(s): whether they succeeded is unknown" =>
        "エクスポートツールにより {n} 件のサインインの結果が失われた。成否は不明",
    "values of {n} record(s) were cut or printed as text by a tool; parts of them are unreadable" =>
        "{n} 件の記録の値がツールにより切り詰めまたは文字列化されており、一部を読み取れない",
    "a shell lost the addresses of the recipients of {n} row(s): they are counted, and not named" =>
        "{n} 行の宛先のアドレスが、シェルの出力で失われている。人数は数えたが、宛先の名は分からない",
    "{n} time(s) lost their date or hour, or could be read with day and month either way" =>
        "{n} 件の時刻で日付または時が失われているか、日と月をどちらの順にも読める",
    "{n} time(s) stand in the zone chosen when the export was made, which the file does not tell" =>
        "{n} 件の時刻はエクスポート時に選ばれた時刻帯によるが、その時刻帯はファイルに記載がない",
    "access to a mailbox was no longer recorded for up to 24 hours ({n} record(s) say so): what was read then is unknown" =>
        "メールボックスへのアクセスが最長 24 時間記録されていない（該当記録 {n} 件）。その間に閲覧された内容は不明",
    "{n} row(s) may stand for several sign-ins each, so logins are at least as many as counted" =>
        "{n} 行はそれぞれ複数のサインインをまとめた可能性があり、ログイン数は計数値以上である",
    "{n} request(s) name their user by a security identifier (SID) alone: they count for the account that other requests give that SID to, or else for nobody" =>
        "{n} 件の要求は利用者をセキュリティ識別子（SID）だけで示す。他の要求がその SID に結び付けるアカウントのものとして数え、それがなければ誰のものとしても数えない",
    "the heading of a table is lost; its columns were told by what they hold, which may be wrong for some" =>
        "表の見出しが失われている。列は内容から推定したため、一部に誤りがあり得る",
    "the last row of {n} table(s) has no line end; if the export was cut there, the last cell of the row and all rows after it are missing" =>
        "{n} 個の表の最終行に改行がない。エクスポートがそこで途切れたのであれば、その行の最後のセルの一部と以降の行が失われている",
    "{n} row(s) name no message; those of one time, sender and subject count as one message, which may be several, or one that another export tells of by its name" =>
        "{n} 行にはメールを特定する ID がない。時刻・差出人・件名が同じ行は 1 通として数えており、実際には複数であるか、別のエクスポートに ID 付きで現れるメールと同一の可能性がある",
    "Tables and exports: {meaning} ({list})." => "表・エクスポート: {meaning}（{list}）。",
    "{path} with {n}" => "{path}: {n} 件",
    "Tables and exports: a number of records at which searches stop; there may be more than were exported ({list})." =>
        "表・エクスポート: 記録数が検索の上限値と一致しており、エクスポートされていない記録があり得る（{list}）。",
    "Searches of the audit log say that they found {n} record(s) more than their exports hold: pages were not collected, or rows were taken out ({list})." =>
        "監査ログの検索結果の総数が、エクスポートにある記録より {n} 件多い。収集されていないページがあるか、行が取り除かれている（{list}）。",
    // Records that a tenant's exports lack as a kind.
    "Every sign-in in evidence is an interactive one. Non-interactive ones, where programs refresh their tokens and older protocols (IMAP, POP3, SMTP) often stand, were not exported: use of accounts that only they show cannot be told." =>
        "証跡のサインインはすべて対話型である。プログラムによるトークンの更新や旧来のプロトコル（IMAP、POP3、SMTP）が多く記録される非対話型はエクスポートされておらず、そこにのみ現れるアカウントの利用は判定できない。",
    "Every sign-in in evidence is a non-interactive one. Interactive ones, where passwords are typed and guessed, were not exported: logins and failures that only they show cannot be told." =>
        "証跡のサインインはすべて非対話型である。パスワードの入力や推測が記録される対話型はエクスポートされておらず、そこにのみ現れるログインと失敗は判定できない。",
    "No sign-in in evidence is known to be a non-interactive one, and these tables do not say of which class theirs are ({list}): if only interactive ones were exported, use of accounts by refreshed tokens and older protocols (IMAP, POP3, SMTP) cannot be told." =>
        "非対話型と分かるサインインが証跡になく、サインインの種類を示さない表がある（{list}）。対話型のみがエクスポートされたのであれば、更新されたトークンや旧来のプロトコル（IMAP、POP3、SMTP）によるアカウントの利用は判定できない。",
    "{n} change(s) gave applications consent, credentials or owners, and no sign-in of an application (service principal, managed identity) is in evidence: whether one was used cannot be told." =>
        "アプリケーションに同意・資格情報・所有者を与えた変更が {n} 件あるが、アプリケーション（サービスプリンシパル、マネージド ID）のサインインが証跡にない。それらが使われたかは判定できない。",
    "The audit log in evidence has no MailItemsAccessed record of anybody. Whether they are written depends on licences and settings, and an export may leave them out: what was read in mailboxes cannot be told." =>
        "証跡の監査ログには、誰についても MailItemsAccessed の記録がない。記録の有無はライセンスと設定により、エクスポートで除かれることもある。メールボックスで何が読まれたかは判定できない。",
    "The audit log in evidence has no Send, SendAs or SendOnBehalf record of anybody. Whether they are written depends on licences and settings, and an export may leave them out: from where mail was sent out of mailboxes cannot be told." =>
        "証跡の監査ログには、誰についても Send・SendAs・SendOnBehalf の記録がない。記録の有無はライセンスと設定により、エクスポートで除かれることもある。メールボックスからの送信がどこから行われたかは判定できない。",
    "The audit log in evidence has no SearchQueryInitiated record of anybody. Whether they are written depends on licences and settings, and an export may leave them out: whether and for what mailboxes were searched cannot be told." =>
        "証跡の監査ログには、誰についても SearchQueryInitiated の記録がない。記録の有無はライセンスと設定により、エクスポートで除かれることもある。メールボックスが検索されたか、何が検索されたかは判定できない。",
    "the audit log in evidence has no record of access to mail, of anybody, so what was read is unknown" =>
        "証跡の監査ログには、誰についてもメールへのアクセスの記録がなく、何が読まれたかは不明",
    "Entra ID keeps sign-ins and its own audit log for 7 days, or for 30 with a paid licence" =>
        "Entra ID はサインインと自身の監査ログを 7 日間（有料ライセンスでは 30 日間）保持する",
    "the message trace goes back 10 days, or 90, by the command that asks" => "メッセージ追跡は、用いるコマンドにより 10 日前または 90 日前まで遡る",
    "the audit log is kept for 90, 180 or 365 days, by licence and by year" => "監査ログはライセンスと時期により 90 日・180 日・365 日間保持される",
    "{path}: {n} days, from {time}" => "{path}: {n} 日間、{time} から",
    "Retention: {kept}. Exports that reach back just as far may lack what came before: that they show nothing earlier does not mean that there was nothing ({list})." =>
        "保持期間: {kept}。ちょうどその期間を遡るエクスポートでは、それ以前の記録が失われている可能性がある。より早い記録がないことは、何もなかったことを意味しない（{list}）。",
    "Microsoft 365 handed mail for {n} recipient(s) to one next hop, {hop}, whatever their domain, or to a host of ours: a relay or a filter whose log is not in evidence. What became of it, and the notices made there, are unknown." =>
        "Microsoft 365 は宛先 {n} 件のメールを、ドメインにかかわらず一つの中継先 {hop} または自組織のホストに引き渡した。ログが証跡にない中継サーバーかフィルターであり、その後の配送結果とそこで作成された不達通知は不明である。",
    "The historical search's summary does not say to which server mail was handed: if the tenant sends through a relay of its own, {n} recipient(s) that count as delivered were only handed to that." =>
        "履歴検索の概要は、メールがどのサーバーに引き渡されたかを示さない。テナントが自組織の中継サーバーを経由して送信しているのであれば、配送済みと数えた宛先 {n} 件は、そこに引き渡されただけである。",
    // Hints of the analyst.
    "accounts {list}" => "アカウント {list}",
    "the attackers' addresses {list}" => "攻撃者のアドレス {list}",
    "from {time}" => "{time} 以降",
    "before {time}" => "{time} より前",
    "{all}; {part}" => "{all}、{part}",
    "An incident ({name}): {parts}." => "侵害（{name}）: {parts}。",
    "An incident: {parts}." => "侵害: {parts}。",
    "Logins from {list} are the owners' own." => "{list} からのログインは利用者本人によるもの。",
    // Other explanations.
    "the owner at a new place: a journey, a new provider, a new device" => "利用者本人による新しい場所からの利用（旅行、新しい通信事業者、新しい端末）",
    "a mailing of the owner's: an announcement, a newsletter, a program that sends for him" =>
        "利用者本人による一斉送信（告知、ニュースレター、送信プログラム）",
    "an old address book: people who moved and mailboxes that are gone" => "古いアドレス帳（転出した相手、廃止されたメールボックス）",
    "several people behind one address: a gateway, a VPN, a provider that shares addresses among customers" =>
        "一つのアドレスを複数人が共用（ゲートウェイ、VPN、アドレスを共用する通信事業者）",
    "use that began before the logs do, so that the owner's own places look as unknown as an attacker's" =>
        "ログの開始以前からの利用（本人の利用場所も攻撃者と同様に未知と見える）",
    // Logins and mailbox.
    "no login of the attacker is in evidence, so there is no moment to count up to" =>
        "攻撃者のログインが証跡になく、いつまでを数えるかの基準がない",
    "logins for sending mail" => "メール送信のためのログイン",
    "logins to mailboxes" => "メールボックスへのログイン",
    "{n} of them had the right password and were stopped by something else: it was known by then" =>
        "うち {n} 件は正しいパスワードによるもので、別の仕組みで止められた（その時点でパスワードは知られていた）",
    "{n} of them met a locked account, and their passwords were not looked at" =>
        "うち {n} 件はアカウントがロックされていたために拒否され、パスワードは検証されていない",
    "{n} of them came from addresses that the provider blocks as malicious, and their passwords were not looked at" =>
        "うち {n} 件は事業者が悪意あるものとして遮断するアドレスからのもので、パスワードは検証されていない",
    "{n} more failed logins carry no user name (Postfix before 3.9 and some logs of Exchange leave it out), so they cannot be tied to an account" =>
        "ほか {n} 件のログイン失敗には利用者名がなく（Postfix 3.9 より前や一部の Exchange ログでは記録されない）、アカウントに結び付けられない",
    "{a} or {b}" => "{a}または{b}",
    "no log of {kinds} is in evidence, so failures there are unknown" => "{kinds}のログが証跡になく、その失敗は不明",
    "{a}; {b}" => "{a}。{b}",
    "no log of a mailbox server (IMAP, POP3, webmail) is in evidence" => "メールボックスサーバー（IMAP、POP3、Web メール）のログが証跡にない",
    "IMAP4 logins to Exchange" => "Exchange への IMAP4 ログイン",
    "POP3 logins to Exchange" => "Exchange への POP3 ログイン",
    "web logins to Exchange" => "Exchange への Web ログイン",
    "no log of {kinds} is in evidence, so there may have been more sessions" =>
        "{kinds}のログが証跡になく、ほかにもセッションがあった可能性がある",
    "no audit log of mailboxes is in evidence, so what was read is unknown" =>
        "メールボックスの監査ログが証跡になく、何が読まれたかは不明",
    "the log of sign-ins that is in evidence does not say what each was for, so sessions are not counted" =>
        "証跡にあるサインインの記録は用途を示さず、セッション数は数えられない",
    "the logs do not say for every session which messages were fetched" => "取得されたメールがログに記録されていないセッションがある",
    "headers and previews can be read without fetching a message" => "ヘッダーとプレビューは、メールを取得しなくても読める",
    "clients synchronised whole folders ({n} record(s)): everything in these may have been read" =>
        "クライアントがフォルダー全体を同期している（記録 {n} 件）。その中のすべてが読まれた可能性がある",
    "the provider stopped recording access for up to 24 hours ({n} record(s) say so): more may have been read than was counted" =>
        "事業者がアクセスの記録を最長 24 時間停止している（該当記録 {n} 件）。計数値より多く読まれた可能性がある",
    "{n} message(s) were deleted in these sessions" => "これらのセッションで {n} 通が削除された",
    "{bytes} bytes were sent to the client" => "クライアントへの送信量は {bytes} バイト",
    "an unknown address" => "不明なアドレス",
    "{account} from {origin}: {seen}" => "{account}（送信元 {origin}）: {seen}",
    "{origin}: {seen}" => "{origin}: {seen}",
    // Notes on an incident.
    "No log of submissions speaks of the time of the incident: whether and what the attackers sent is unknown." =>
        "侵害期間の送信を記録したログがない。攻撃者による送信の有無と内容は不明である。",
    "No log of changes to accounts is in evidence: rules, forwarding and other changes are unknown." =>
        "アカウントの変更を記録したログが証跡にない。受信ルール・転送などの変更の有無は不明である。",
    "Only the audit log tells of sent mail, and it knows nothing of mail sent by SMTP: figures are lower bounds." =>
        "送信メールを示すのは監査ログのみで、SMTP による送信は記録されない。数値は下限である。",
    "{n} act(s) from the attackers' addresses were recorded before their first login in evidence, the first on {at}: they had got in before, and that login is not in evidence." =>
        "証跡にある最初の不正ログインより前に、攻撃者のアドレスからの操作が {n} 件記録されている（最初は {at}）。それ以前に侵入しており、そのログインは証跡にない。",
    "{n} login(s) from the attackers' addresses whose user no line names come before the first login known to be to these accounts, the first on {at}: if one of them was to these accounts, the attackers had got in by then." =>
        "これらのアカウントへのものと分かる最初のログインより前に、攻撃者のアドレスから、利用者名の記録がないログインが {n} 件ある（最初は {at}）。いずれかがこれらのアカウントへのものであれば、その時点で既に侵入していた。",
    "Forwarding of {account} was set on {at}, and nothing in evidence undoes it: what came in after that may have gone there too." =>
        "{account} の転送が {at} に設定され、証跡にはその解除がない。以後の受信メールもそこへ転送された可能性がある。",
    "The asked time window leaves out that the attackers had logged in before it, first on {at}." =>
        "指定された期間より前に攻撃者は既にログインしていた（最初は {at}）。期間外のため数えていない。",
    "Before the attackers' first login, these accounts were used from {list}, in networks that the attackers came from, first on {at}: that does not count as theirs; if it was, they had got in by then." =>
        "最初の不正ログインより前に、攻撃者が用いたネットワーク内の {list} からこれらのアカウントが利用されている（最初は {at}）。攻撃者によるものとしては数えていない。攻撃者によるものであれば、その時点で既に侵入していた。",
    "No login for sending is in evidence, so the first login is that to a mailbox, if any; there may be an earlier one." =>
        "送信のためのログインが証跡にないため、最初のログインはメールボックスへのもの（あれば）である。より早いログインがあった可能性がある。",
    "The evidence begins only {n} hours before the first unauthorised login that it shows; there may have been earlier ones." =>
        "証跡は、確認された最初の不正ログインのわずか {n} 時間前から始まる。より早い不正ログインがあった可能性がある。",
    "The {system} log of {host} has a gap from {from} to {to} ({why}): figures are lower bounds." =>
        "{host} の {system} ログは {from} から {to} まで欠落している（{why}）。数値は下限値である。",
    "Messages are attributed by their envelope sender: what the owner sent in that time is counted with them, and a forged sender would be too." =>
        "メールはエンベロープ送信者によりアカウントに帰属させた。同期間に利用者本人が送信したメールも含まれ、送信者の詐称があればそれも含まれる。",
    "Estimate: {n} notices of failure came in for these accounts from the first login on, so at least about as many messages were sent and failed; how many arrived is unknown. Notices can also be the echo of mail that others sent under the account's address." =>
        "推定: 最初のログイン以降、これらのアカウントに不達通知が {n} 通届いており、少なくとも同程度のメールが送信され不達となった。届いたメールの数は不明である。第三者が当該アドレスを詐称して送信したメールへの不達通知が含まれる可能性もある。",
    "Estimate: {n} notices of failure came in for this account, so at least about as many messages may have been sent and failed; how many arrived, and whether anybody got into the account at all, is unknown. Notices can also be the echo of mail that others sent under its address: the submission logs of that time decide." =>
        "推定: このアカウントに不達通知が {n} 通届いており、少なくとも同程度のメールが送信され不達となった可能性がある。届いたメールの数も、アカウントへの侵入の有無も不明である。第三者が当該アドレスを詐称して送信したメールへの不達通知である可能性もあり、当該期間の送信ログがなければ判断できない。",
    "notices of failure began to come in; {n} within the first hour" => "不達通知が届き始めた（最初の 1 時間に {n} 通）",
    "notices of failure began to come in; {n} in all" => "不達通知が届き始めた（合計 {n} 通）",
    "no origin of the account is judged, so nobody's sessions can be called an attacker's" =>
        "このアカウントの送信元は判定されていないため、攻撃者のセッションを特定できない",
    "{n} notices of failure came in for {owner} from {from} to {to}; on his busiest day before {usual}, and on those of nine in ten others no more than {peers}" =>
        "{owner} に {from} から {to} までに不達通知が {n} 通届いた。それ以前の最多の日は {usual} 通、ほかの利用者の 9 割では最多の日でも {peers} 通以下",
    "{n} notices of failure came in for {owner} from {from} to {to}; on his busiest day before {usual}" =>
        "{owner} に {from} から {to} までに不達通知が {n} 通届いた。それ以前の最多の日は {usual} 通",
    "the echo of a forged sender: others sent under the owner's address, and their notices came to one who sent nothing" =>
        "送信者詐称の反響: 第三者が利用者のアドレスを騙って送信し、何も送信していない本人に不達通知が届いた",
    "a mailing of the owner's to an old list, or automatic replies to it" => "利用者本人による古い宛先リストへの一斉送信、またはそれへの自動返信",
    "the first notice of failure came back to the account; {n} within the first hour" => "最初の不達通知がアカウントに届いた（最初の 1 時間に {n} 通）",
    "the first notice of failure came back to the account; {n} within the first hour; a rule of the mailbox that was made before may have hidden them" =>
        "最初の不達通知がアカウントに届いた（最初の 1 時間に {n} 通）。ただし、それ以前に作成された受信トレイのルールにより隠された可能性がある",
    "the first of the attackers' messages reached a colleague" => "攻撃者のメールが組織内の利用者に初めて届いた",
    "no log of submissions speaks of that time, so notices cannot be tied to messages" =>
        "当該期間の送信を記録したログがなく、不達通知をメールに結び付けられない",
    "notices made by a host whose log is not in evidence cannot be told from other mail" =>
        "ログが証跡にないホストの作成した不達通知は、ほかのメールと区別できない",
    // Judgement.
    "the analyst named the account; nothing else makes this origin stand out that much" =>
        "分析者がアカウントを指定した。ほかにこの送信元を際立たせる事実はない",
    "the analyst named {address} as the attacker's" => "分析者が {address} を攻撃者のものと指定",
    "in the network {net} that attackers used since {time}" => "攻撃者が {time} 以降利用しているネットワーク {net} 内",
    "new address that sends refused mail while the account is under attack since {time}" =>
        "{time} 以降アカウントが攻撃を受けている間に、拒否されるメールを送信した新しいアドレス",
    "{address} got into {account} too, at {time}" => "{address} は {account} にも {time} にログイン",
    // Limits.
    "Evidence incomplete: {problem}." => "証跡が不完全: {problem}。",
    "Not read, because it is no log of a known format: {list}." => "既知の形式のログではないため読まなかったもの: {list}。",
    "The audit log and the sign-in log give {n} sign-in(s) different results; the sign-in log was followed." =>
        "監査ログとサインインログで結果の異なるサインインが {n} 件ある。サインインログに従った。",
    "The logs have {n} hole(s), listed under coverage; what happened in them is unknown." =>
        "ログに {n} 箇所の欠落がある（「証跡の範囲」に記載）。その間に何があったかは不明である。",
    "Only what lies in the asked time window is counted for the incident; earlier and later acts of the same origins are not." =>
        "指定された期間内のみを侵害として数えた。同じ送信元による期間外の行為は含まない。",
    "Nothing in {n} of the sources tells the zone of their time stamps; UTC was assumed (give --log-tz if that is wrong): {list}." =>
        "ログ {n} 件には時刻帯を示すものがなく、UTC と仮定した（誤りであれば --log-tz を指定）: {list}。",
    "Nothing tells the year of {n} source(s); 1970 was put in its place (give --year): {list}." =>
        "ログ {n} 件には年を示すものがなく、1970 年とした（--year を指定すること）: {list}。",
    "Lines in {n} source(s) tell a time of their own that does not fit the zone or year they were read with (see --log-tz, --year): {list}." =>
        "ログ {n} 件に、解釈に用いた時刻帯または年と合わない時刻を自ら示す行がある（--log-tz、--year を参照）: {list}。",
    "Nothing in evidence came from {network}, which was given as the attackers'." => "攻撃者のものとして指定された {network} からの記録は証跡にない。",
    "The account {given} that was asked for stands in the logs as the envelope sender of {n} message(s) alone, which came from hosts that are not known to be the organisation's; give these under hosts or networks in the configuration if they are." =>
        "指定されたアカウント {given} は、ログではメッセージ {n} 通のエンベロープ送信者としてのみ現れ、それらは組織のものと分かっていないホストから来ている。組織のものであれば、設定の hosts または networks に指定すること。",
    "The last line of {n} source(s) has no line end: if they were cut short there, it may tell less than it did and lines after it are missing: {list}." =>
        "ログ {n} 件の最終行に行末がない。そこで途切れた写しであれば、その行の内容は不完全で、以降の行は欠落している: {list}。",
    "The year or zone of {n} source(s) rests on the file's modification time alone, which copying changes (give --year or --log-tz if it is wrong): {list}." =>
        "ログ {n} 件の年または時刻帯は、複製により変わるファイルの更新日時のみを根拠とする（誤りであれば --year、--log-tz を指定）: {list}。",
    "{n} minute(s)" => "{n} 分",
    "{least} to {most} minutes" => "{least}～{most} 分",
    "The clock of {ahead} was {by} ahead of that of {behind}: {n} recipient(s) were followed from one host to the other by queue id and Message-ID all the same. Which of the two clocks is wrong is not told; times of either may be off by as much." =>
        "{ahead} の時計は {behind} の時計より {by} 進んでいた。それでもキュー ID と Message-ID により {n} 件の宛先をホスト間で追跡した。どちらの時計が誤りかは証跡から分からず、いずれかのホストの時刻が同じだけずれている可能性がある。",
    "Clocks were stepped {n} time(s) while logging; times near those lines may be off." =>
        "記録中に時計が {n} 回補正されている。該当行付近の時刻にはずれがあり得る。",
    "{n} failed SMTP logins carry no user name (Postfix before 3.9, 3.8.3, 3.7.8, 3.6.12 and 3.5.22 and old builds of Exchange do not log it); they are known by address only." =>
        "SMTP のログイン失敗 {n} 件には利用者名がない（Postfix 3.9、3.8.3、3.7.8、3.6.12、3.5.22 より前および古い Exchange は記録しない）。アドレスのみ判明している。",
    "{n} SMTP session(s) authenticated without any line that names the user; Postfix names the user only when a recipient is accepted." =>
        "認証に成功したが利用者名の行がない SMTP セッションが {n} 件ある。Postfix は宛先を受け付けた場合にのみ利用者名を記録する。",
    "No login of a mailbox server (IMAP, POP3, webmail) is in evidence: whether mail was read cannot be told." =>
        "メールボックスサーバー（IMAP、POP3、Web メール）のログインが証跡にない。メールの閲覧の有無は判定できない。",
    "{n} refused attempt(s) came in authenticated sessions whose user no line names; they are attributed by their envelope sender, which that account alone uses." =>
        "拒否された送信 {n} 件は、利用者名の行がない認証済みセッションによる。当該アカウントのみが使うエンベロープ送信者により帰属させた。",
    "{n} refused attempt(s) came in authenticated sessions whose user no line names and whose envelope sender no account is known by; they are counted under no account." =>
        "拒否された送信 {n} 件は、利用者名の行がなく、エンベロープ送信者からもアカウントが判明しない認証済みセッションによる。どのアカウントにも数えていない。",
    "{n} message(s) came from hosts or clients of ours whose own logs are not in evidence; they are attributed by envelope sender alone, and their logins are not in evidence." =>
        "メール {n} 通は、ログが証跡にない自組織のホストまたはクライアントから届いた。エンベロープ送信者のみにより帰属させ、そのログインは証跡にない。",
    "{n} message(s) were handed in by a webmail program that does not log in for sending; they are attributed by envelope sender, and to the browser that had last logged in at the webmail as that account." =>
        "メール {n} 通は、送信時に認証しないウェブメールプログラムから投入された。エンベロープ送信者により帰属させ、直前に当該アカウントでウェブメールにログインしたブラウザーのものとして数えている。",
    "{n} recipient(s) were handed to a host of ours whose log is not in evidence; what became of them is not known." =>
        "宛先 {n} 件は、ログが証跡にない自組織のホストに引き渡された。その後の配送結果は不明である。",
    "{n} mail transaction(s) got a queue id and were then never mentioned again: broken off by the client, or lines are missing; they are not counted as messages." =>
        "メール処理 {n} 件は、キュー ID が割り当てられた後の記録がない。クライアントによる中断か行の欠落であり、メールとしては数えていない。",
    "{n} message(s) were handed in by webmail while two addresses may both have had a session of the account; they are counted as the one's that logged in last (Roundcube's sendmail.log would tell)." =>
        "ウェブメールから投入されたメール {n} 通は、同じアカウントのセッションを二つのアドレスが同時に持っていた可能性のある間のものである。最後にログインしたアドレスのものとして数えている（Roundcube の sendmail.log があれば確定できる）。",
    "{list} is not reached from outside: a webmail server, a proxy, a gateway or a computer of one's own network stands there, and who was behind it is in the log of that machine, which is not in evidence." =>
        "{list} は外部からは到達できない。そこには自組織のウェブメールサーバー、プロキシ、ゲートウェイ、または内部の計算機があり、その背後に誰がいたかはその機器のログにあるが、証跡にない。",
    "Among these transactions are some of users who had logged in: {list}." =>
        "そのうち、ログインした利用者のものがある: {list}。",
    "{account} ({n})" =>
        "{account}（{n} 件）",
    "{n} message(s) were redirected by a rule of a server in evidence: they count by what became of them at the address that the rule names, and the recipients they were written to got nothing." =>
        "メッセージ {n} 通は、証跡にあるサーバーの規則により転送先を変更された。規則が指定するアドレスでの結果により数えており、本来の宛先には届いていない。",
    "{n} message(s) have no line in evidence that tells who handed them in: they were queued before the logs begin, or the SMTP server's lines are missing; they are counted under no account." =>
        "メール {n} 通は、誰が投入したかを示す行が証跡にない。ログの開始前からキューにあったか、SMTP サーバーの行が欠けている。どのアカウントにも数えていない。",
    "{n} messages of {host}, nearly all, went to {address} as well, whoever wrote them, as an archive rule (always_bcc) sends them there: it is counted as no recipient of any of them." =>
        "{host} のメールのほぼすべて、{n} 通が、差出人にかかわらず {address} にも届いている。保存用の規則（always_bcc）による写しとみて、受信者に数えていない。",
    "{n} messages of {host}, nearly all, went to {address} as well: if an archive rule (always_bcc, sender_bcc_maps) sends them there, each has one recipient less than counted, and delivered and partly delivered messages are counted too high by these copies." =>
        "{host} のメールのほぼすべて、{n} 通が {address} にも届いている。保存用の規則（always_bcc、sender_bcc_maps）による写しであれば、各メールの受信者は数えた値より 1 名少なく、配送済みと一部配送済みの数はその写しの分だけ多く数えられている。",
    "The logs name {n} account(s) both with a domain and without one, and each spelling is counted for itself; if they are the same people, give default_domain in the configuration: {list}." =>
        "{n} 個のアカウントが、ドメイン付きとドメインなしの両方でログに現れ、綴りごとに別々に数えられている。同一人物であれば設定で default_domain を指定する: {list}。",
    "The logs tell of {first} to {last}; the asked time window lies outside of that, so nothing found in it means nothing." =>
        "ログの範囲は {first} から {last} までで、指定された期間はその外にある。その期間に何も見つからなくても、何もなかったことにはならない。",
    "No line names {n} of the recipients: different addresses, their domains, and those known or new are at least as many as counted." =>
        "受信者のうち {n} 名を示す行がない。異なるアドレス、そのドメイン、既知・新規の数は、少なくとも数えた値だけある。",
    "{n} more message(s) without a sender, as notices of failure are, came in from other servers in that time; which of them speak of these messages is in no log, so the count is a lower bound" =>
        "ほかに、不達通知と同じく送信者が空のメッセージ {n} 通がこの間に他のサーバーから届いている。どれがこれらのメッセージについての通知かはログにないため、件数は下限値である",
    "{n} more could not be delivered to the account either, as where its mailbox is full" =>
        "ほかに {n} 通は、メールボックスが満杯の場合などのため、このアカウントに配送できなかった",
    "{n} more went to sender addresses that these messages bore and that are not the account's" =>
        "ほかに {n} 通が、これらのメールが名乗った、このアカウントのものではない差出人アドレスへ送られた",
    "{n} message(s) bear a sender of the organisation and came from addresses that nobody ever signed in from and that wrote to the organisation alone: they were taken for forged mail from outside and are counted under no account." =>
        "{n} 通のメールは、差出人が組織のアドレスでありながら、誰もサインインしたことがなく、組織宛てにしか送っていないアドレスから届いた。外部からの差出人詐称とみなし、どのアカウントにも数えていない。",
    "{n} message(s) that authenticated sessions handed in are told by the SMTP servers' command counters alone: the lines about them are missing; they are not counted." =>
        "認証済みセッションで投入されたメール {n} 通は、SMTP サーバーのコマンド数からのみわかる。それらについての行が欠けているため、数に入れていない。",
    "Delivered means that the receiving server took the message; whether it went to the inbox or to junk is not in the logs." =>
        "配送済みとは、受信側サーバーがメールを受け取ったことを意味する。受信トレイと迷惑メールフォルダーのどちらに入ったかはログにない。",
    "{names} and {n} more" => "{names} ほか {n} 件",
    // Grounds of techniques.
    "mailbox sessions" => "メールボックスのセッション",
    "messages sent by the account" => "アカウントからの送信",
    "recipients of the organisation" => "組織内の宛先",
    "other accounts tried" => "ほかのアカウントへの試行",
    // Signs.
    "an address that is not logged" => "記録のないアドレス",
    "{address} and {n} more of its network" => "{address} と同じネットワークのほか {n} アドレス",
    "no use of the account before {first} to compare {name} with" => "{first} より前にアカウントの利用がなく、{name} と比較できない",
    "less than {n} hours of earlier use to compare {name} with" => "{name} と比較できる以前の利用が {n} 時間に満たない",
    "1 other address" => "ほかの 1 アドレス",
    "{n} other addresses" => "ほかの {n} アドレス",
    "{name} first used the account at {first}; in the logs since {since} it had been used from {from}, some of them in the same network {net}" =>
        "{name} は {first} に初めてアカウントを利用。{since} 以降のログでは{from}（一部は同じネットワーク {net}）から利用されていた",
    "{name} first used the account at {first}; in the logs since {since} it had been used from {from}" =>
        "{name} は {first} に初めてアカウントを利用。{since} 以降のログでは{from}から利用されていた",
    "{name} is in {country}; before, the account had been used from {before}" => "{name} の国は {country}。以前の利用は {before} から",
    "{name} is in {owner}, from which the account had never been used" => "{name} は {owner} に属し、アカウントはそこから利用されたことがない",
    "{km} km from where the account was used {n} minutes after {time}; a VPN or a mobile provider's gateway looks the same" =>
        "{time} の {n} 分後にアカウントが利用された場所から {km} km。VPN や携帯通信事業者のゲートウェイでも同様に見える",
    "{km} km from where the account was used {n} minutes before {time}; a VPN or a mobile provider's gateway looks the same" =>
        "{time} の {n} 分前にアカウントが利用された場所から {km} km。VPN や携帯通信事業者のゲートウェイでも同様に見える",
    "{n} of the {all} stretches of ten minutes in which it was used lie in hours of the week in which the account was never used before" =>
        "利用のあった 10 分間の区間 {all} 個中 {n} 個が、それまで利用されたことのない曜日・時間帯にある",
    "in {n} stretches of ten minutes the account was used from elsewhere too" => "{n} 個の 10 分間の区間で、アカウントが別の場所からも利用された",
    "{n} recipients within one hour (from {hour}); the account's own busiest hour before had {usual}" =>
        "1 時間に宛先 {n} 件（{hour} から）。以前の最多は 1 時間に {usual} 件",
    "{n} recipients on an ordinary one of {days} days; from elsewhere the account writes to {usual} on a day it sends" =>
        "{days} 日間、通常の日で宛先 {n} 件。別の場所からは送信日あたり {usual} 件",
    "{n} messages sent and no mailbox session; from elsewhere the mailbox was read {elsewhere} times" =>
        "送信 {n} 通に対しメールボックスのセッションなし。別の場所からは {elsewhere} 回閲覧されている",
    "{refused} of {all} recipients were blocked or bounced; of most accounts it is no more than {usual} of a hundred" =>
        "宛先 {all} 件中 {refused} 件がブロックまたはバウンス。大半のアカウントでは 100 件中 {usual} 件以下",
    "{novel} of {distinct} addresses written to had no mail from the account before" =>
        "宛先 {distinct} アドレス中 {novel} アドレスは、以前にこのアカウントからのメールがない",
    "{novel} of {distinct} addresses written to had no mail from the account before; it counts a third, since the logs before know {before} recipients only" =>
        "宛先 {distinct} アドレス中 {novel} アドレスは、以前にこのアカウントからのメールがない。以前のログの宛先が {before} 件のみのため、重みを 3 分の 1 とする",
    "recipients come in the order of the alphabet in {upwards} of {steps} steps" => "宛先の並び {steps} 箇所中 {upwards} 箇所がアルファベット順",
    "{what}: {act} at {time}" => "{what}: {act}、{time}",
    "settings were changed from here" => "この送信元から設定が変更された",
    "the provider stopped the account from sending" => "事業者がアカウントの送信を停止した",
    "{address} also failed to log in to {n} accounts" => "{address} は {n} アカウントへのログインにも失敗",
    "addresses of its network {net} failed to log in to {n} accounts" => "同じネットワーク {net} のアドレスが {n} アカウントへのログインに失敗",
    "{n} failed logins to {account} from {name} before the first that worked" =>
        "最初の成功までに {name} から {account} へのログイン失敗 {n} 件",
    "{n} failed logins from {name}, of users that the log does not name" => "{name} からのログイン失敗 {n} 件（利用者名はログにない）",
    "{n} failed logins to {account} from {addresses} addresses that never got in, within {days} days before" =>
        "直前 {days} 日間に、一度もログインに成功していない {addresses} アドレスから {account} へのログイン失敗 {n} 件",
    "on {n} days it wrote to people whom the account knows from elsewhere or who wrote to it" =>
        "{n} 日にわたり、アカウントの既知の相手またはアカウントに送信してきた相手に送信",
    "only {refused} of {all} recipients were blocked or bounced" => "ブロックまたはバウンスは宛先 {all} 件中 {refused} 件のみ",
    "{n} accounts use {name} regularly" => "{n} アカウントが {name} を常用",
    "{name} is in a network of the organisation, or in one that is not routed outside" => "{name} は組織のネットワークまたは外部に経路のないネットワークにある",
}

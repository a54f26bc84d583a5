// The provider's own two pages. Plain forms, so that they also work where scripts are off.

const escape = (text) =>
  String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const page = (title, body) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"></head>
<body data-page="provider"><main><h1>${escape(title)}</h1>${body}</main></body></html>`;

export function signInPage(people, query) {
  const buttons = people
    .map((p) => `<p><button name="email" value="${escape(p.email)}">${escape(p.name)}</button></p>`)
    .join("");
  return page(
    "Provider sign-in",
    `<form method="post" action="/sign-in${query ? `?${escape(query)}` : ""}">${buttons}</form>`,
  );
}

export function signedInPage() {
  return page("Signed in at the provider", "<p>Go on in any of its apps.</p>");
}

export function consentPage(clientName, scopes, consentCode) {
  const items = scopes.map((scope) => `<li>${escape(scope)}</li>`).join("");
  return page(
    `Allow ${clientName}?`,
    `<p>It asks for:</p><ul>${items}</ul>
    <form method="post" action="/consent">
      <input type="hidden" name="consent_code" value="${escape(consentCode)}">
      <button name="accept" value="yes">Allow</button> <button name="accept" value="no">Deny</button>
    </form>`,
  );
}

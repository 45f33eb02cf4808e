// Shows openapi.json; requests can be tried with a key of one's own.
window.SwaggerUIBundle({ url: "openapi.json", dom_id: "#docs", deepLinking: true, persistAuthorization: false });

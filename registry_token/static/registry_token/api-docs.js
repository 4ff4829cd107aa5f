// Swagger UI on the service's own OpenAPI document. Nothing is sent to any other host.
"use strict";

const operations = document.getElementById("operations");
SwaggerUIBundle({
  url: operations.dataset.schema,
  domNode: operations,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
});

"use strict";
SwaggerUIBundle({
  url: document.getElementById("docs").dataset.spec,
  dom_id: "#docs",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});

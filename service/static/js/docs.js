// The description of the API by Swagger UI, whose dark look is a class of the document.

const root = document.documentElement;
const follow = () => root.classList.toggle("dark-mode", root.hasAttribute("data-dark"));
new MutationObserver(follow).observe(root, { attributes: true, attributeFilter: ["data-dark"] });
follow();

const { SwaggerUIBundle } = /** @type {any} */ (window); // a script of its own, see docs.html
SwaggerUIBundle({
  url: document.getElementById("docs")?.dataset.spec,
  dom_id: "#docs",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});

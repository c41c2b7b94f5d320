import connect from 'connect';
import { APPLICATION, describeHttp } from '../contracts/http.js';
import { listen } from '../listen.js';

// Connect needs no adapter: the handler is a middleware of its kind.
describeHttp('Connect', {
  start(files) {
    const app = connect();
    app.use(files.handler);
    app.use((_request, response) => response.end(APPLICATION));
    return listen(app);
  },
});

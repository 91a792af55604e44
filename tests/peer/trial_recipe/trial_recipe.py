"""A recipe that does what its options say: makes files and directories, reads other sections, fails."""
import os

import zc.buildout


class Recipe:
    def __init__(self, buildout, name, options):
        self.name, self.options = name, options
        if options.get('fail') == 'initialise':
            raise zc.buildout.UserError('no %s' % name)
        if 'sets' in options:
            options['result'] = '%s:%s' % (name, options['sets'])
        for other in options.get('reads', '').split():
            options['got-' + other] = buildout[other].get('x', 'none')
        if 'location' in options:
            options['location'] = os.path.join(buildout['buildout']['parts-directory'], name)

    def make(self, phase):
        options, made = self.options, []
        if 'location' in options:
            if not os.path.exists(options['location']):
                os.mkdir(options['location'])
            made.append(options['location'])
        for path in options.get('files', '').split():
            with open(path, 'a') as file:
                file.write('%s %s\n' % (phase, options.get('x', '')))
            made.append(path)
        if options.get('fail') == phase:
            if options.get('how') == 'error':
                raise ValueError('cannot ' + phase)
            raise zc.buildout.UserError('cannot %s %s' % (phase, self.name))
        return made

    def install(self):
        made = self.make('install')
        if self.options.get('created'):
            self.options.created(*made)
            return ()
        return made

    def update(self):
        made = self.make('update')
        if self.options.get('update-gives') == 'paths':
            return made


class Bare:
    """Has no update, and gives one path that is no list."""

    def __init__(self, buildout, name, options):
        self.options = options

    def install(self):
        for path in self.options.get('files', '').split():
            open(path, 'w').close()
            return path
        return ()


def uninstall(name, options):
    paths = sorted(options.get('__buildout_installed__', '').split())
    print('uninstall', name, paths, sorted(item for item in options.items() if not item[0].startswith('__')))
    if options.get('fail') == 'uninstall':
        raise zc.buildout.UserError('cannot uninstall ' + name)

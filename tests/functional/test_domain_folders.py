"""The folders of a guest belong to QEMU's user, who may be somebody else by now: nothing in there
leads the daemon anywhere."""

import os

import domain_case
import guest
import harness

NOBODY = 65534


@guest.needs_qemu
@harness.needs_root
class Folders(domain_case.TestCase):
    def setUp(self):
        super().setUp()
        conf = self.root / 'etc/libvirt/qemu.conf'
        conf.parent.mkdir(parents=True)
        conf.write_text(f'user = "+{NOBODY}"\ngroup = "+{NOBODY}"\n')
        self.start_qemud()
        self.define()
        self.outside = self.root / 'outside'
        self.outside.mkdir(mode=0o755)
        (self.outside / 'precious').write_text('kept')

    def folder(self):
        return self.root / 'var/lib/libvirt/qemu/domain-1-a'

    def channel_folder(self):
        return self.root / 'var/lib/libvirt/qemu/channel/target/domain-1-a'

    def check_outside(self):
        status = self.outside.stat()
        self.assertEqual((status.st_uid, status.st_mode & 0o7777), (0, 0o755))
        self.assertEqual(os.listdir(self.outside), ['precious'])

    def check_runs(self):
        self.sh('start', 'a', '--paused')
        for folder in (self.folder(), self.channel_folder()):
            status = folder.lstat()
            self.assertEqual((status.st_uid, status.st_mode & 0o7777), (NOBODY, 0o750))
        self.check_outside()
        self.sh('destroy', 'a')
        self.check_gone()
        self.check_outside()

    def test_link_in_place_of_a_folder_is_not_followed(self):
        for folder in (self.folder(), self.channel_folder()):
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.symlink_to(self.outside)
        self.check_runs()

    def test_what_was_in_a_folder_before_is_removed(self):
        self.folder().mkdir(parents=True)
        (self.folder() / 'planted').write_text('')
        self.sh('start', 'a', '--paused')
        self.assertNotIn('planted', os.listdir(self.folder()))

    def test_links_in_a_folder_are_removed_and_not_followed(self):
        self.sh('start', 'a', '--paused')
        (self.folder() / 'inner').mkdir()
        (self.folder() / 'inner/link').symlink_to(self.outside)
        (self.folder() / 'link').symlink_to(self.outside)
        self.sh('destroy', 'a')
        self.check_gone()
        self.check_outside()
